"""Metrics of restorations: image quality, perceptual distance, colour, fine detail, curvature."""
