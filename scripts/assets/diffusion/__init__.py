"""Train the denoiser that ships on the evidence that the refiner learns from."""
