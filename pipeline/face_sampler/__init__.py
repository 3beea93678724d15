"""The built-in generator of portraits: an active appearance model with borrowed detail."""
