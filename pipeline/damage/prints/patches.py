"""Damage over an area: stains, silvering, ink, tape, scraped emulsion."""

import math

import cv2
import numpy as np

from pipeline.damage.prints.lines import as_shares, coverage, smooth_path
from pipeline.damage.prints.picture import (
    Field,
    Painted,
    Pixels,
    blob,
    lay_over,
    paper_tone,
    rough_noise,
    soft_noise,
    step,
)


def stain(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Let water or tea dry: a tint over what lies below, unevenly, with a darker rim."""
    shape = (picture.shape[0], picture.shape[1])
    radius = _radius(rng, shape, scale, 12, 90)
    field = blob(rng, shape, _place(rng, shape), radius, rng.uniform(0.1, 0.35))
    inside = step(field, rng.uniform(0.03, 0.2))
    rim = np.exp(-((field / rng.uniform(0.04, 0.14)) ** 2)) * (field < 0.15)
    brown = np.array([170.0, 128.0, 80.0]) * rng.uniform(0.6, 1.25) + rng.normal(0, 12, 3)
    tint = picture * (brown / 255) if rng.random() < 0.75 else picture * 0.4 + brown * 0.6
    strength = rng.uniform(0.15, 0.7) * (1 + 0.3 * rough_noise(rng, shape, radius / 2, 3)) * inside
    strength = np.clip(strength + rng.uniform(0.2, 0.7) * rim, 0, 1)
    return Painted(lay_over(picture, np.asarray(tint, np.float32), strength), np.maximum(inside, rim))


def silvering(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Mirror the darks bluish, as old silver does, in a cloudy patch."""
    shape = (picture.shape[0], picture.shape[1])
    field = blob(rng, shape, _place(rng, shape), _radius(rng, shape, scale, 20, 90), rng.uniform(0.3, 0.6))
    cloud = step(field, 0.7)
    dark = np.clip(1 - picture.mean(axis=-1) / 170, 0, 1)
    sheen = np.array([150.0, 160.0, 180.0]) + rng.normal(0, 10, 3) + rng.uniform(-20, 40)
    opacity = cloud * dark * np.clip(0.8 + 0.3 * rough_noise(rng, shape, 8 * scale, 3), 0, 1)
    return Painted(lay_over(picture, sheen, opacity * rng.uniform(0.5, 0.95)), opacity)


def ink(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Spill or scribble ink: blots with splashes, or strokes of a broad pen across the picture."""
    shape = (picture.shape[0], picture.shape[1])
    if rng.random() < 0.6:
        centre, radius = _place(rng, shape), _radius(rng, shape, scale, 5, 40)
        opacity = step(blob(rng, shape, centre, radius, rng.uniform(0.1, 0.3)), rng.uniform(0.05, 0.3))
        canvas = np.zeros(shape, np.uint8)
        for _ in range(rng.poisson(4)):
            x, y = np.array(centre) + rng.normal(0, 1.6 * radius, 2)
            cv2.circle(
                canvas, (round(x), round(y)), max(1, round(radius * rng.uniform(0.03, 0.2))), 255, -1, cv2.LINE_AA
            )
        opacity = np.maximum(opacity, as_shares(canvas))
    else:
        width = scale * math.exp(rng.uniform(0.9, 2.2))
        start = np.array(_place(rng, shape), np.float32)
        path = smooth_path(rng, start, rng.uniform(0, 6.3), max(shape) * rng.uniform(0.3, 1.5), rng.uniform(0.5, 5))
        opacity = coverage(shape, [path], [max(2.0, width)])
    tone = (
        rng.uniform(0, 45)
        + np.array([[0.0, 0, 0], [0, 5, 60], [25, 0, 70], [120, 0, 0], [60, 40, 20]])[rng.integers(5)]
    )
    return Painted(lay_over(picture, tone, opacity * rng.uniform(0.75, 1.0)), opacity)


def tape(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Stick adhesive tape on: a yellowed translucent strip with straight sides and cut or toothed ends."""
    shape = (picture.shape[0], picture.shape[1])
    angle = rng.choice([0.0, math.pi / 2, rng.uniform(0, math.pi)]) + rng.normal(0, 0.06)
    x0, y0 = _place(rng, shape)
    x = np.arange(shape[1], dtype=np.float32)[None] - np.float32(x0)
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(y0)
    along = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
    across = y * np.float32(math.cos(angle)) - x * np.float32(math.sin(angle))
    half_width = scale * math.exp(rng.uniform(2.0, 3.4))
    half_length = half_width * math.exp(rng.uniform(0.3, 2.2))
    teeth = rng.choice([0.0, 0.12 * half_width]) * np.abs((across / (0.25 * half_width)) % 2 - 1)
    inside = step(np.maximum(np.abs(across) - half_width, np.abs(along) - half_length + teeth), 1.2)
    tone = np.array([225.0, 196.0, 130.0]) * rng.uniform(0.7, 1.1)
    cloudy = np.clip(rng.uniform(0.35, 0.8) * (1 + 0.3 * rough_noise(rng, shape, half_width, 3)), 0.15, 1)
    edge = np.exp(-(((np.abs(across) - half_width) / max(1.2, 0.06 * half_width)) ** 2)) * inside
    taped = lay_over(picture, tone, np.asarray(inside * cloudy, np.float32)) + (rng.uniform(-50, 40) * edge)[..., None]
    return Painted(np.asarray(taped, np.float32), inside)


def scrape(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Rub or flake emulsion off: ragged patches of paper, streaky where something was dragged or pulled off."""
    shape = (picture.shape[0], picture.shape[1])
    radius = _radius(rng, shape, scale, 5, 60)
    field = blob(rng, shape, _place(rng, shape), radius, rng.uniform(0.25, 0.6))
    if rng.random() < 0.45:
        field = field + rng.uniform(0.3, 0.9) * _streaks(rng, shape, scale)
    if rng.random() < 0.3:
        field = np.maximum(field, 0.8 - rng.uniform(0.5, 1.2) * np.abs(rough_noise(rng, shape, 4 * scale + 3, 3)))
    opacity = step(field, rng.uniform(0.03, 0.25))
    sheet = paper_tone(rng) + (rng.uniform(0, 10) * rough_noise(rng, shape, 8.0, 3))[..., None]
    shadow = cv2.GaussianBlur(opacity, (0, 0), 0.6 + scale) * (1 - opacity)
    below = picture - (rng.choice([0.0, 60.0]) * shadow)[..., None]
    return Painted(lay_over(below, np.asarray(sheet, np.float32), opacity * rng.uniform(0.7, 1.0)), opacity)


def _streaks(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Field:
    side = int(1.5 * max(shape))
    lines = soft_noise(rng, (side, max(4, side // 40)), 2.5 * scale)
    stretched = cv2.resize(lines, (side, side), interpolation=cv2.INTER_CUBIC)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 180), 1.0)
    turned = cv2.warpAffine(stretched, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    top, left = (side - shape[0]) // 2, (side - shape[1]) // 2
    return np.asarray(turned[top : top + shape[0], left : left + shape[1]], np.float32)


def _radius(rng: np.random.Generator, shape: tuple[int, int], scale: float, low: float, high: float) -> float:
    return float(min(scale * math.exp(rng.uniform(math.log(low), math.log(high))), 0.45 * max(shape)))


def _place(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[float, float]:
    return float(rng.uniform(0, shape[1])), float(rng.uniform(0, shape[0]))
