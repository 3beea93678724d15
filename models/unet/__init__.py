"""The U-Net that generator and denoiser are made of."""
