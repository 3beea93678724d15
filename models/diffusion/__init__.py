"""The diffusion restorer: denoiser, losses, training module, sampling."""
