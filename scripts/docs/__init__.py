"""Write pictures and tables of the docs."""
