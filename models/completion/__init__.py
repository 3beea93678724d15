"""Restoring by the face model's completion alone, without a network on it."""
