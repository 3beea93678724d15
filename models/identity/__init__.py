"""Identity encoders: one to train with, an independent one to judge with."""
