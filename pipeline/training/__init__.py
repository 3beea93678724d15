"""Training: data with damage drawn on the fly, the loop, and what is logged of it."""
