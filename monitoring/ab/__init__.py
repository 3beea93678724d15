"""A/B tests between champion and challenger: who serves whom, what came of it, and when that is enough to know."""
