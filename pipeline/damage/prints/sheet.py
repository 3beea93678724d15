"""What surrounds and covers an intact print: mounts, frames, ovals, captions, stamps. None of it is damage."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.damage.prints.lines import as_shares, coverage
from pipeline.damage.prints.picture import Field, Pixels, lay_over, rough_noise, step

_LETTERS = "AaBbCcDdEeFfGgHhIiKkLlMmNnOoPpRrSsTtUuVvWwZz0123456789.,&-"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    cv2.FONT_HERSHEY_COMPLEX | cv2.FONT_ITALIC,
)


def mount(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Put the picture into a mount, a frame, an oval or the white rim of a print; sides may be unequal or missing."""
    shape = (picture.shape[0], picture.shape[1])
    outside = _opening(rng, shape)
    board = _board(rng, shape)
    softness = rng.choice([1.0, rng.uniform(1, 3), rng.uniform(5, 40)], p=[0.6, 0.25, 0.15])
    framed = lay_over(picture, board, step(-outside, softness))
    for _ in range(rng.poisson(0.7)):  # printed lines and bevels along the opening
        at, thick = rng.uniform(-12, 14), rng.uniform(0.6, 3)
        line = np.exp(-(((outside - at) / thick) ** 2))
        framed = lay_over(framed, np.full(3, rng.uniform(0, 255)), np.asarray(line * rng.uniform(0.3, 1), np.float32))
    if rng.random() < 0.3:  # the shadow that the print's thickness casts
        shade = np.exp(-np.clip(outside, 0, None) / rng.uniform(1, 4)) * (outside > 0)
        framed = framed - (rng.uniform(10, 70) * shade)[..., None]
    return np.asarray(framed, np.float32)


def write_on(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Write a caption, a signature, a studio's name or a number, printed or by hand, light or dark; or stamp a seal."""
    shape = (picture.shape[0], picture.shape[1])
    kind = rng.random()
    if kind < 0.55:
        drawn = _printed(rng, shape)
    elif kind < 0.85:
        drawn = _handwritten(rng, shape)
    else:
        drawn = _stamped(rng, shape)
    colour = np.full(3, rng.uniform(0, 90)) if rng.random() < 0.65 else np.full(3, rng.uniform(190, 255))
    return lay_over(picture, colour + rng.normal(0, 10, 3), drawn * rng.uniform(0.5, 1.0))


def _opening(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """(H, W): distance outwards, pixels, from the opening's edge; above 0 lies the mount."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    tilt = rng.normal(0, 0.012)
    x, y = x + np.float32(tilt) * y, y - np.float32(tilt) * x
    if rng.random() < 0.3:  # oval or round, often cut by the tile
        centre = np.array([rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height])
        radii = max(shape) * rng.uniform(0.35, 1.1) * np.array([1.0, rng.uniform(0.8, 1.5)])
        scaled = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
        return np.asarray((scaled - 1) * radii.min(), np.float32)
    borders = []
    for distance, chance in ((x, 0.5), (width - 1 - x, 0.5), (y, 0.4), (height - 1 - y, 0.5)):
        if rng.random() < chance:
            borders.append(max(shape) * math.exp(rng.uniform(-4.5, -1.0)) - distance)
    if not borders:
        borders = [max(shape) * rng.uniform(0.02, 0.3) - x]
    if rng.random() < 0.3 and len(borders) > 1:  # rounded corners
        radius = np.float32(max(shape) * rng.uniform(0.02, 0.15))
        inner = np.sqrt(sum(np.maximum(border + radius, 0) ** 2 for border in borders)) - radius
        return np.asarray(
            np.where(np.maximum.reduce(borders) + radius > 0, inner, np.maximum.reduce(borders)), np.float32
        )
    return np.asarray(np.maximum.reduce(borders), np.float32)


def _board(rng: np.random.Generator, shape: tuple[int, int]) -> Pixels:
    """(H, W, 3): white, cream, brown, grey or black board, smooth or grained."""
    kind = rng.random()
    base = np.full(3, rng.uniform(215, 255)) - rng.uniform(0, 50) * np.array([0.0, 0.3, 1.0])
    if kind > 0.75:
        base = np.full(3, rng.uniform(0, 50))
    elif kind > 0.5:
        base = np.array([150.0, 120.0, 80.0]) * rng.uniform(0.4, 1.4)
    grained = rng.choice([0.0, 3.0, 8.0]) * rough_noise(rng, shape, rng.uniform(3, 60), 3)
    return np.asarray(base + grained[..., None], np.float32)


def _printed(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    canvas = np.zeros(shape, np.uint8)
    font, size = int(rng.choice(_FONTS)), math.exp(rng.uniform(-1.2, 0.9))
    thick = max(1, round(size * rng.uniform(0.8, 2.5)))
    x, y = rng.uniform(-0.2, 0.8) * shape[1], rng.uniform(0.05, 0.95) * shape[0]
    for line in range(int(rng.integers(1, 4))):
        text = "".join(rng.choice(list(_LETTERS), int(rng.integers(3, 22))))
        cv2.putText(canvas, text, (round(x), round(y + 36 * size * line)), font, size, 255, thick, cv2.LINE_AA)
    return _turned(rng, canvas)


def _handwritten(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    size = math.exp(rng.uniform(1.0, 2.8))
    x, y = rng.uniform(-0.1, 0.7) * shape[1], rng.uniform(0.1, 0.95) * shape[0]
    steps = np.arange(int(rng.integers(60, 300)))
    wave = np.cumsum(rng.normal(0, 0.12, len(steps))) + 0.55 * steps
    amplitude = np.interp(
        steps, steps[:: max(1, len(steps) // 12)], rng.uniform(0.3, 1.6, len(steps[:: max(1, len(steps) // 12)]))
    )
    along = x + steps * size * 0.16 + 0.5 * size * np.cos(wave)
    across = y + size * amplitude * np.sin(wave) + steps * rng.normal(0, 0.03)
    path = np.stack([along, across], axis=1).astype(np.float32)
    gaps = np.flatnonzero(rng.random(len(path)) < 0.03)
    words = [part for part in np.split(path, gaps) if len(part) > 4]
    return coverage(shape, words, [max(0.8, 0.12 * size * rng.uniform(0.6, 1.6))] * len(words))


def _stamped(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    canvas = np.zeros(shape, np.uint8)
    centre = (round(rng.uniform(0, 1) * shape[1]), round(rng.uniform(0, 1) * shape[0]))
    radius = round(max(6.0, max(shape) * math.exp(rng.uniform(-2.8, -1.2))))
    for share in (1.0, rng.uniform(0.6, 0.9)):
        cv2.circle(canvas, centre, round(share * radius), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    text = "".join(rng.choice(list(_LETTERS), 8))
    cv2.putText(
        canvas, text, (centre[0] - radius, centre[1]), int(rng.choice(_FONTS)), radius / 60, 255, 1, cv2.LINE_AA
    )
    inked = np.clip(0.7 + 0.5 * rough_noise(rng, shape, 6.0, 3), 0, 1)
    return np.asarray(_turned(rng, canvas) * inked, np.float32)


def _turned(rng: np.random.Generator, canvas: npt.NDArray[np.uint8]) -> Field:
    height, width = canvas.shape
    angle = rng.choice([0.0, rng.normal(0, 6), rng.choice([90.0, 270.0])], p=[0.6, 0.3, 0.1])
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    return as_shares(np.asarray(cv2.warpAffine(canvas, turn, (width, height)), np.uint8))
