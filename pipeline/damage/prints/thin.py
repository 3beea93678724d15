"""Thin damage: cracks and their nets, folds, scratches, hairs and lint."""

import math

import cv2
import numpy as np

from pipeline.damage.prints.abrasion import graze, strokes
from pipeline.damage.prints.lines import Field, branching, cell_net, coverage, fractal_path, smooth_path, tapered
from pipeline.damage.prints.picture import Painted, Pixels, lay_over, paper_tone, soft_noise


def crack(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Break the emulsion: a bright core of bare paper in flakes, a dark flank, lifted edges; branching, or a net."""
    shape = (picture.shape[0], picture.shape[1])
    width = scale * math.exp(rng.uniform(-0.5, 0.9))
    roughness = rng.uniform(0.03, 0.2)
    drawn = cell_net if rng.random() < 0.25 else branching
    paths, widths = drawn(rng, shape, width, roughness)
    if not paths:
        return Painted(picture, np.zeros(shape, np.float32))
    core = coverage(shape, paths, widths)
    core = _flaked(rng, core, width)
    bright = rng.random() < 0.82
    below = picture
    if rng.random() < 0.65:
        below = _flanked(rng, picture, core, width, -1 if bright else 1)
    tone = paper_tone(rng) if bright else np.full(3, rng.uniform(0, 70))
    return Painted(lay_over(below, tone, core * rng.uniform(0.45, 1.0)), core)


def fold(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Crease the whole print: a nearly straight relief from edge to edge, broken along its ridge."""
    height, width = picture.shape[:2]
    angle = rng.choice([0.0, math.pi / 2, rng.uniform(0, math.pi)], p=[0.3, 0.3, 0.4]) + rng.normal(0, 0.05)
    reach = 1.6 * max(height, width)
    middle = np.array([rng.uniform(0.05, 0.95) * width, rng.uniform(0.05, 0.95) * height], np.float32)
    start = middle - reach / 2 * np.array([math.cos(angle), math.sin(angle)], np.float32)
    path = fractal_path(rng, start, angle, reach, rng.uniform(0.002, 0.02))
    thick = scale * math.exp(rng.uniform(-0.3, 1.1))
    ridge = coverage((height, width), *tapered(rng, path, thick))
    relief = _relief(rng, ridge, thick * rng.uniform(0.6, 1.6), angle + math.pi / 2)
    shaded = picture + relief[..., None] * rng.uniform(15, 60)
    core = _flaked(rng, ridge, thick)
    tone = paper_tone(rng) if rng.random() < 0.85 else np.full(3, rng.uniform(0, 70))
    strength = rng.uniform(0.5, 1.0)
    return Painted(lay_over(shaded, tone, core * strength), np.maximum(core * strength, ridge * 0.3))


def scratch(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Scratch the surface: lines, often several alike; strokes of abrasion; or a graze. Light or dark."""
    shape = (picture.shape[0], picture.shape[1])
    width = scale * math.exp(rng.uniform(-0.7, 0.5))
    angle, spread = rng.uniform(0, math.pi), rng.choice([0.03, 0.2, 1.5])
    paths = []
    for _ in range(1 + rng.poisson(rng.choice([0.3, 2.0, 6.0], p=[0.6, 0.3, 0.1]))):
        start = np.array([rng.uniform(-0.1, 1) * shape[1], rng.uniform(-0.1, 1) * shape[0]], np.float32)
        length = max(shape) * math.exp(rng.uniform(-2.5, 0.3))
        turned = angle + rng.normal(0, spread)
        bend = rng.choice([0.02, 0.25])
        line = (
            smooth_path(rng, start, turned, length, bend)
            if rng.random() < 0.7
            else fractal_path(rng, start, turned, length, 0.01)
        )
        paths.append(line)
    line = coverage(shape, paths, [width * rng.uniform(0.7, 1.2) for _ in paths])
    choice = rng.random()
    if choice < 0.35:
        line = strokes(rng, shape, scale) if choice < 0.2 else graze(rng, shape, scale)
    elif rng.random() < 0.5:
        line = line * np.clip(0.8 + 0.5 * soft_noise(rng, shape, 25 * scale), 0.15, 1)
    tone = np.full(3, rng.uniform(185, 255)) if rng.random() < 0.75 else np.full(3, rng.uniform(0, 60))
    return Painted(lay_over(picture, tone, line * rng.uniform(0.4, 1.0)), line)


def hair(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Lay hairs, threads and lint on the glass of the scanner or the negative: single smooth lines, dark or light."""
    shape = (picture.shape[0], picture.shape[1])
    paths = []
    for _ in range(1 + rng.poisson(rng.choice([0.3, 4.0], p=[0.7, 0.3]))):
        start = np.array([rng.uniform(0, 1) * shape[1], rng.uniform(0, 1) * shape[0]], np.float32)
        length = scale * math.exp(rng.uniform(1.8, 4.6))
        paths.append(smooth_path(rng, start, rng.uniform(0, 2 * math.pi), length, rng.uniform(0.6, 3.0)))
    line = coverage(shape, paths, [scale * math.exp(rng.uniform(-0.6, 0.5)) for _ in paths])
    tone = np.full(3, rng.uniform(190, 255)) if rng.random() < 0.6 else np.full(3, rng.uniform(0, 70))
    return Painted(lay_over(picture, tone, line * rng.uniform(0.45, 1.0)), line)


def _flaked(rng: np.random.Generator, core: Field, width: float) -> Field:
    """Break a line along its length into flakes, faint stretches and gaps."""
    shape = (core.shape[0], core.shape[1])
    along = np.clip(0.75 + rng.uniform(0.2, 0.8) * soft_noise(rng, shape, max(8.0, 10 * width)), 0, 1)
    core = core * along
    if width > 1.6 and rng.random() < 0.6:
        ragged = soft_noise(rng, shape, max(2.0, 0.7 * width))
        core = core * np.clip(1.2 + rng.uniform(0.3, 1.0) * ragged, 0, 1)
    if rng.random() < 0.4:  # chips of emulsion that came off beside the line
        near = cv2.dilate(core, np.ones((2 * max(1, round(1.5 * width)) + 1,) * 2, np.uint8))
        core = np.maximum(core, near * (soft_noise(rng, shape, max(3.0, 2 * width)) > rng.uniform(1.1, 1.8)))
    return np.asarray(core, np.float32)


def _flanked(rng: np.random.Generator, picture: Pixels, core: Field, width: float, sign: int) -> Pixels:
    """Shade one side of a line, as the lifted edge casts it; sometimes a wide relief besides."""
    shift = np.array([[1, 0, rng.normal(0, 0.8 + 0.6 * width)], [0, 1, rng.normal(0, 0.8 + 0.6 * width)]], np.float32)
    side = cv2.warpAffine(core, shift, core.shape[::-1])
    side = cv2.GaussianBlur(side, (0, 0), 0.5 + 0.4 * width)
    shaded = picture + sign * rng.uniform(15, 80) * side[..., None]
    if rng.random() < 0.4:
        wide = _relief(rng, core, 1.5 + 2 * width, rng.uniform(0, 2 * math.pi))
        shaded = shaded + rng.uniform(8, 35) * wide[..., None]
    return np.asarray(shaded, np.float32)


def _relief(rng: np.random.Generator, line: Field, spread: float, angle: float) -> Field:
    """(H, W) in [-1, 1]: light on one side of a line and shade on the other, or one of them on both."""
    smooth = cv2.GaussianBlur(line, (0, 0), max(0.8, spread))
    peak = float(smooth.max()) or 1.0
    if rng.random() < 0.3:
        return np.asarray(smooth / peak * rng.choice([-1, 1]), np.float32)
    x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    lit = x * math.cos(angle) + y * math.sin(angle)
    return np.asarray(lit / (float(np.abs(lit).max()) or 1.0), np.float32)
