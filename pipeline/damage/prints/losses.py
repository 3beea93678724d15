"""Lost paper: torn edges, missing corners, holes, worn borders."""

import math

import cv2
import numpy as np

from pipeline.damage.prints.lines import Field, coverage, fractal_path
from pipeline.damage.prints.picture import Painted, Pixels, blob, lay_over, paper_tone, rough_noise, soft_noise, step


def tear(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Tear the print from an edge inwards: a wedge of white fibres, or both parts moved apart; or a worn border."""
    if rng.random() < 0.3:
        return worn_border(rng, picture, scale)
    shape = (picture.shape[0], picture.shape[1])
    start, inwards = _edge(rng, shape)
    length = max(shape) * rng.uniform(0.25, 0.95)
    path = fractal_path(rng, start, inwards + rng.normal(0, 0.45), length, rng.uniform(0.04, 0.14))
    widest = scale * math.exp(rng.uniform(1.0, 2.6))
    pieces = [path[i : i + 2] for i in range(len(path) - 1)]
    widths = list(np.linspace(widest, 0.8, len(pieces)) * np.exp(rng.normal(0, 0.15, len(pieces))))
    gap = coverage(shape, pieces, widths)
    fibres = paper_tone(rng) + (10 * rough_noise(rng, shape, 4.0, 3))[..., None]
    torn = lay_over(_shadowed(rng, picture, gap, scale), np.asarray(fibres, np.float32), gap)
    if widest > 5 and rng.random() < 0.5:  # what lies behind is seen along the middle
        behind = cv2.erode(gap, np.ones((2 * max(1, round(widest / 6)) + 1,) * 2, np.uint8))
        torn = lay_over(torn, np.full(3, _behind(rng)), behind)
    return Painted(torn, gap)


def corner(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Break a corner off, or a piece out of an edge: what lies behind is seen, with a torn rim of paper."""
    shape = (picture.shape[0], picture.shape[1])
    height, width = shape
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(height, dtype=np.float32)[:, None]
    x = x if rng.random() < 0.5 else width - 1 - x
    y = y if rng.random() < 0.5 else height - 1 - y
    ragged = rough_noise(rng, shape, rng.uniform(0.15, 0.5) * max(shape), 6)
    size = max(shape) * math.exp(rng.uniform(-2.4, -0.35))
    if rng.random() < 0.7:
        share = math.exp(rng.normal(0, 0.4))
        field = (x / (size * share) + y * share / size - 1) + rng.uniform(0.05, 0.2) * ragged
    else:  # a strip along the border
        field = x / (0.4 * size) - 1 + rng.uniform(0.1, 0.5) * ragged
    return _gone(rng, picture, np.asarray(field * size, np.float32), scale)


def hole(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Punch, burn or eat a hole: what lies behind is seen, with a rim of paper or char."""
    shape = (picture.shape[0], picture.shape[1])
    radius = min(scale * math.exp(rng.uniform(1.3, 3.8)), 0.4 * max(shape))
    centre = (float(rng.uniform(0, shape[1])), float(rng.uniform(0, shape[0])))
    field = blob(rng, shape, centre, radius, rng.uniform(0.05, 0.35))
    return _gone(rng, picture, field * np.float32(radius), scale)


def worn_border(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Wear one to four borders of the print: many small chips and splits along them."""
    shape = (picture.shape[0], picture.shape[1])
    height, width = shape
    sides = np.stack(
        [
            np.broadcast_to(np.arange(width, dtype=np.float32)[None], shape),
            np.broadcast_to(width - 1 - np.arange(width, dtype=np.float32)[None], shape),
            np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], shape),
            np.broadcast_to(height - 1 - np.arange(height, dtype=np.float32)[:, None], shape),
        ]
    )
    worn = rng.permutation(4)[: int(rng.integers(1, 5))]
    distance = sides[worn].min(axis=0)
    reach = scale * rng.uniform(2, 7)
    field = distance / reach - 0.6 + rng.uniform(0.6, 1.3) * rough_noise(rng, shape, 6 * reach, 5)
    opacity = step(np.maximum(np.asarray(field, np.float32), distance / (5 * reach) - 1), 0.3)
    sheet = paper_tone(rng) + (12 * rough_noise(rng, shape, 5.0, 3))[..., None]
    return Painted(lay_over(_shadowed(rng, picture, opacity, scale), np.asarray(sheet, np.float32), opacity), opacity)


def _gone(rng: np.random.Generator, picture: Pixels, field: Field, scale: float) -> Painted:
    """Take away the paper where a field, in pixels from its edge, is below 0, and fray the edge."""
    shape = (picture.shape[0], picture.shape[1])
    rim = scale * rng.choice([0.0, 1.0, 3.0, 6.0]) * np.clip(1 + 0.6 * soft_noise(rng, shape, 12 * scale), 0.1, 2)
    torn = step(np.asarray(field - rim, np.float32), 1.5)
    lost = step(field, 1.5)
    sheet = paper_tone(rng) + (8 * rough_noise(rng, shape, 4.0, 3))[..., None]
    if rng.random() < 0.15:
        sheet = np.array([45.0, 28.0, 15.0]) + (12 * rough_noise(rng, shape, 5.0, 2))[..., None]
    frayed = lay_over(_shadowed(rng, picture, torn, scale), np.asarray(sheet, np.float32), torn)
    tone = _behind(rng) + rng.normal(0, 5, 3) + (rng.choice([0.0, 4.0]) * rough_noise(rng, shape, 20.0, 4))[..., None]
    return Painted(lay_over(frayed, np.asarray(tone, np.float32), lost), np.maximum(torn, lost))


def _behind(rng: np.random.Generator) -> float:
    """Grey level of what is seen through a hole: the scanner's white lid, a black or grey ground."""
    return float(rng.choice([rng.uniform(225, 255), rng.uniform(0, 45), rng.uniform(60, 210)], p=[0.5, 0.25, 0.25]))


def _shadowed(rng: np.random.Generator, picture: Pixels, covered: Field, scale: float) -> Pixels:
    """Darken, or not, the side of an edge that stands up."""
    if rng.random() < 0.5:
        return picture
    shift = np.array([[1, 0, rng.normal(0, 1.5 * scale)], [0, 1, rng.normal(0, 1.5 * scale)]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(covered, shift, covered.shape[::-1]), (0, 0), 0.8 + 0.8 * scale)
    return np.asarray(picture - (rng.uniform(10, 70) * shadow)[..., None], np.float32)


def _edge(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Field, float]:
    """A place on the border, and the direction inwards, radians."""
    height, width = shape
    along = rng.uniform(0.05, 0.95)
    places = [
        (-1, along * height, 0.0),
        (width, along * height, math.pi),
        (along * width, -1, math.pi / 2),
        (along * width, height, -math.pi / 2),
    ]
    x, y, angle = places[rng.integers(4)]
    return np.array([x, y], np.float32), angle
