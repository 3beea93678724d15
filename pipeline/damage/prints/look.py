"""How intact prints look: toned, faded, textured, screened; and what a scanner makes of them."""

import math

import cv2
import numpy as np

from models.images import Image
from pipeline.damage.prints.picture import Field, Pixels, rough_noise, soft_noise

_SHADOWS = {
    "grey": (20, 20, 20),
    "sepia": (42, 26, 14),
    "cyan": (12, 32, 44),
    "selenium": (36, 20, 34),
    "faded": (92, 74, 52),
    "gold": (40, 34, 10),
}
_LIGHTS = {
    "grey": (244, 244, 244),
    "sepia": (244, 224, 188),
    "cyan": (212, 236, 240),
    "selenium": (242, 232, 230),
    "faded": (232, 212, 170),
    "gold": (250, 236, 170),
}


def tone(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Expose and tone a colour picture (H, W, 3) as prints are: grey, sepia, cyan, faded, yellowed, or in colour."""
    luma = (picture @ np.array([0.299, 0.587, 0.114], np.float32)) / 255
    curve = np.clip(luma, 0, 1) ** np.float32(math.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.3:
        curve = 0.5 + (curve - 0.5) * rng.uniform(1.1, 1.6)
    low, high = rng.uniform(0, 0.15), rng.uniform(0.8, 1.0)
    curve = low + (high - low) * np.clip(curve, 0, 1)
    if rng.random() < 0.25:
        cast = 1 + rng.normal(0, 0.06, 3)
        return np.asarray((picture - 127) * rng.uniform(0.6, 1.1) * cast + 127 + rng.uniform(-30, 20), np.float32)
    name = rng.choice(list(_SHADOWS), p=[0.3, 0.3, 0.08, 0.08, 0.16, 0.08])
    shadow = np.array(_SHADOWS[name], np.float32) + rng.normal(0, 6, 3).astype(np.float32)
    light = np.array(_LIGHTS[name], np.float32) + rng.normal(0, 6, 3).astype(np.float32)
    return np.asarray(shadow + curve[..., None] * (light - shadow), np.float32)


def age(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Fade unevenly, darken or bleach towards the sides, let the paper's texture and mottling show."""
    shape = (picture.shape[0], picture.shape[1])
    aged = picture
    if rng.random() < 0.4:
        aged = aged + (rng.uniform(4, 22) * soft_noise(rng, shape, max(shape) * rng.uniform(0.3, 1.0)))[..., None]
    if rng.random() < 0.3:
        aged = aged + (rng.uniform(2, 9) * rough_noise(rng, shape, rng.uniform(4, 30), 3))[..., None]
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
        rim = np.clip(np.hypot(x - rng.normal(0, 0.5), y - rng.normal(0, 0.5)) - 0.5, 0, 1.5)
        aged = aged + (rng.uniform(-90, 90) * rim)[..., None]
    if rng.random() < 0.25:
        aged = aged + (rng.uniform(2, 9) * _weave(rng, shape))[..., None]
    return np.asarray(aged, np.float32)


def screen(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Print through a halftone screen of dots, sharp or blurred."""
    height, width = picture.shape[:2]
    period, angle = rng.uniform(2.5, 7), rng.choice([0.0, math.pi / 4, rng.uniform(0, math.pi)])
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    dots = (np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period)) / 4
    level = picture.mean(axis=-1) / 255
    hard = np.clip((level - 0.5 - dots) * rng.uniform(2, 12) + 0.5, 0, 1)
    hard = cv2.GaussianBlur(hard.astype(np.float32), (0, 0), rng.uniform(0.3, 0.28 * period + 0.3))
    dark, light = picture.min(axis=(0, 1)), picture.max(axis=(0, 1))
    return np.asarray(dark + hard[..., None] * (light - dark), np.float32)


def soften(picture: Pixels, sigma: float) -> Pixels:
    """Blur as a lens does; nothing for 0."""
    return picture if sigma <= 0 else np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def digitise(rng: np.random.Generator, picture: Pixels) -> Image:
    """Add grain, sharpen, resample and compress, each at random; (H, W, 3) uint8."""
    shape = picture.shape[:2]
    noisy = picture
    if rng.random() < 0.75:
        channels = int(rng.choice([1, 1, 3]))
        grain = rng.standard_normal((*shape, channels), dtype=np.float32) * np.float32(math.exp(rng.uniform(-0.5, 2.5)))
        if rng.random() < 0.6:
            sigma = rng.uniform(0.4, 1.4)
            grain = cv2.GaussianBlur(grain, (0, 0), sigma).reshape(*shape, channels) * np.float32(1 + 1.5 * sigma)
        noisy = noisy + grain
    if rng.random() < 0.2:
        noisy = noisy + rng.uniform(0.3, 1.2) * (noisy - cv2.GaussianBlur(noisy, (0, 0), rng.uniform(0.7, 2)))
    image = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.65:
        quality = int(
            rng.choice([rng.integers(20, 40), rng.integers(40, 75), rng.integers(75, 97)], p=[0.15, 0.4, 0.45])
        )
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
    return np.asarray(image, np.uint8)


def added_grain(image: Image, picture: Pixels) -> float:
    """Standard deviation of what digitising added to a picture (H, W, 3), grey levels; robust to sharpened edges."""
    added = (image.astype(np.float32) - picture).mean(axis=-1)
    return float(1.4826 * np.median(np.abs(added - np.median(added))))


def _weave(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """(H, W) in [-1, 1]: the regular relief of linen, laid or pebbled paper."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    period, angle = rng.uniform(2.5, 12), rng.uniform(0, math.pi)
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    waves = np.sin(2 * np.pi * u / period)
    return np.asarray((waves + np.sin(2 * np.pi * v / period)) / 2 if rng.random() < 0.6 else waves, np.float32)
