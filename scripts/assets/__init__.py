"""Make the weights that ship in assets/."""
