"""A registered version as a model of its own: photos as bytes in, pictures and rows out."""
