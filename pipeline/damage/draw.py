"""One piece of damage: which pixels are gone, and which have lost their colour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from models.errors import DataError
from models.face.regions import Points, Size
from models.images import Image, Mask
from pipeline.damage.cut import cut
from pipeline.damage.nets import crack, speck
from pipeline.damage.occluder import occluder
from pipeline.damage.paper import corner, fold, tear
from pipeline.damage.scene import Field, Scene, noise, turned
from pipeline.damage.spots import box, stain
from pipeline.damage.strokes import brush, scratch

HOLE_GREY = 127
Painter = Callable[[np.random.Generator, Scene, float], Field]

HOLE_KINDS: Mapping[str, Painter] = MappingProxyType(
    {
        "brush": brush,
        "scratch": scratch,
        "tear": tear,
        "corner": corner,
        "stain": stain,
        "fold": fold,
        "box": box,
        "occluder": occluder,
        "crack": crack,
        "speck": speck,
    }
)
COLOUR_KINDS = ("fade", "greyscale")
_BESIDE_COLOUR = ("brush", "scratch", "tear", "corner", "stain", "fold", "box", "occluder")
"""Kinds of the hole in a picture that also lost colour."""


@dataclass(frozen=True)
class Damage:
    """Damage to one picture.

    Attributes:
        hole: (H, W) bool, luma and chroma gone.
        chroma: (H, W) bool, chroma gone; a superset of `hole`.
        kind: one of `HOLE_KINDS` or `COLOUR_KINDS`.
    """

    hole: Mask
    chroma: Mask
    kind: str


def draw(rng: np.random.Generator, kind: str, target_coverage: float, landmarks: Points, size: Size) -> Damage:
    """Draw damage of one kind that covers a given share of the face hull, exact to one pixel.

    `fade` and `greyscale` take colour away, from a smooth region or everywhere; the target is then the coverage of a
    hole of another, random kind (0 = no hole).

    Args:
        rng: source of randomness; the same state draws the same damage to the bit.
        kind: what to draw.
        target_coverage: missing share of the face hull, 0..1.
        landmarks: (68, 2) x, y in pixels.
        size: side, or (height, width), of the picture.

    Raises:
        DataError: an unknown kind, a share outside 0..1, or a face outside the picture.
    """
    if not 0.0 <= target_coverage <= 1.0:
        raise DataError("a coverage in 0..1", str(target_coverage), "give the missing share of the face hull")
    scene = Scene.of(landmarks, size)
    return draw_on(rng, kind, round(target_coverage * len(scene.hull_pixels)), scene)


def draw_on(rng: np.random.Generator, kind: str, missing: int, scene: Scene) -> Damage:
    """As `draw`, with the number of missing pixels of the hull, on a scene."""
    if kind in HOLE_KINDS:
        hole = _hole(rng, kind, missing, scene)
        return Damage(hole, hole, kind)
    if kind not in COLOUR_KINDS:
        raise DataError("a kind of damage", repr(kind), f"take one of {', '.join((*HOLE_KINDS, *COLOUR_KINDS))}")
    hole = _hole(rng, _BESIDE_COLOUR[int(rng.integers(len(_BESIDE_COLOUR)))], missing, scene)
    faded = np.ones_like(hole) if kind == "greyscale" else _faded(rng, scene)
    return Damage(hole, faded | hole, kind)


def apply(image: Image, damage: Damage) -> Image:
    """The damaged picture: holes mid grey, pixels without chroma as their luma (Rec. 601), the rest untouched.

    Args:
        image: (H, W, 3) uint8 RGB.
        damage: of the same height and width.

    Returns:
        A new (H, W, 3) uint8 picture.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    damaged = np.where(damage.chroma[..., None], luma[..., None], image)
    damaged[damage.hole] = HOLE_GREY
    return damaged


def _hole(rng: np.random.Generator, kind: str, missing: int, scene: Scene) -> Mask:
    if missing == 0:
        return np.zeros(scene.shape, np.bool_)
    field = HOLE_KINDS[kind](rng, scene, missing / len(scene.hull_pixels))
    return cut(rng, field, scene.hull, missing)


def _faded(rng: np.random.Generator, scene: Scene) -> Mask:
    """A smooth region that bleaches from one side: 30 to 90 % of the picture."""
    slope, _ = turned(scene, scene.spots(rng, 1)[0], rng.uniform(0, 2 * np.pi))
    field = slope / max(scene.shape) + 0.25 * noise(rng, scene.shape, 0.9 * scene.unit, 2)
    everywhere = np.ones(scene.shape, np.bool_)
    return cut(rng, field, everywhere, int(rng.uniform(0.3, 0.9) * field.size))
