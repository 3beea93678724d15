"""Train the refiner that ships on stored evidence of real and synthetic people."""
