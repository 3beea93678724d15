"""How a whole photo looks that is not damaged: toned, framed, scanned, compressed. None of it is to be restored."""

import cv2
import numpy as np

from models.images import Image


def toned(rng: np.random.Generator, image: Image) -> Image:
    """Exposure, contrast and colour cast of a print (H, W, 3); one in five is black-and-white or sepia."""
    picture = image.astype(np.float32)
    if rng.random() < 0.2:
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
        sepia = np.array([1.08, 1.0, 0.82], np.float32)
        picture = (luma * (sepia if rng.random() < 0.5 else np.ones(3, np.float32))).astype(np.float32)
    gain, cast = rng.uniform(0.75, 1.2), rng.normal(0, 0.03, 3)
    exposed = (picture - 127.5) * gain * (1 + cast) + 127.5 + rng.uniform(-25, 25)
    return np.clip(exposed, 0, 255).astype(np.uint8)


def framed(rng: np.random.Generator, image: Image) -> Image:
    """The picture (H, W, 3) within the straight border of a print, white to cream or dark."""
    height, width = image.shape[:2]
    border = max(2, round(rng.uniform(0.02, 0.08) * min(height, width)))
    tone = rng.uniform(225, 255) if rng.random() < 0.8 else rng.uniform(0, 40)
    sheet = np.clip(tone - rng.uniform(0, 40) * np.array([0.0, 0.3, 1.0]), 0, 255)
    canvas = np.broadcast_to(sheet, image.shape).astype(np.uint8)
    inner = (width - 2 * border, height - 2 * border)
    canvas[border:-border, border:-border] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return canvas


def scanned(rng: np.random.Generator, image: Image) -> Image:
    """What a scanner or a phone adds: softness, grain, JPEG of quality 45-95; each at random."""
    picture = image
    if rng.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0)), np.uint8)
    if rng.random() < 0.4:
        grain = rng.normal(0, rng.uniform(1, 7), (*picture.shape[:2], int(rng.choice([1, 3]))))
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        picture = _jpeg(picture, int(rng.integers(45, 96)))
    return picture


def _jpeg(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
