"""What is seen where a photo is damaged: paper, ink, stains, scratches. Pure functions of a generator and a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.images import Image, Mask
from pipeline.damage.draw import HOLE_GREY
from pipeline.damage.scene import noise

Pixels = npt.NDArray[np.float32]
Content = Callable[[np.random.Generator, Pixels, Pixels], tuple[Pixels, Pixels]]
"""(generator, picture (H, W, 3) 0..255, soft hole (H, W, 1) 0..1) -> what lies over the picture, and its opacity."""

_TOUCHED = 0.2
"""Opacity from which a pixel counts as damaged: below it a soft rim is hardly seen."""
_VISIBLE = 6.0
"""Mean change of the neighbourhood, grey levels, from which damage can be seen at all."""


@dataclass(frozen=True)
class Rendered:
    """A damaged picture and where it is damaged.

    Attributes:
        image: (H, W, 3) uint8.
        touched: (H, W) bool, damaged pixels, soft rims included.
        visible: (H, W) bool, the damaged pixels whose neighbourhood changed by more than a few grey levels. A black
            hole in a black background is damage that nobody, and no network, can find.
    """

    image: Image
    touched: Mask
    visible: Mask


def render(rng: np.random.Generator, image: Image, hole: Mask, content: str, softness: float = 0.0) -> Rendered:
    """Lay one content over a picture where the hole is.

    Args:
        rng: source of randomness.
        image: (H, W, 3) uint8, intact.
        hole: (H, W) bool.
        content: a name of `CONTENTS`.
        softness: standard deviation of the blur of the hole's edge, pixels; 0 = sharp.

    Raises:
        DataError: an unknown content.
    """
    if content not in CONTENTS:
        raise DataError("a content of a hole", repr(content), f"take one of {', '.join(CONTENTS)}")
    edge = hole.astype(np.float32)
    soft: Pixels = edge if softness == 0 else np.asarray(cv2.GaussianBlur(edge, (0, 0), softness), np.float32)
    before = image.astype(np.float32)
    layer, opacity = CONTENTS[content](rng, before, soft[..., None])
    after = np.clip(np.rint(before + opacity * soft[..., None] * (layer - before)), 0, 255)
    touched: Mask = soft >= _TOUCHED
    change = cv2.blur(np.abs(after - before).mean(axis=-1), (5, 5))
    return Rendered(after.astype(np.uint8), touched, touched & (change > _VISIBLE))


def _paper(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:
    """Bare paper, white to yellowed, grained; sometimes with a shadow along its edge."""
    sheet = _sheet(rng) + rng.uniform(0, 6) * noise(rng, _shape(picture), 40.0, 3)[..., None]
    sheet = sheet + rng.normal(0, rng.uniform(0.5, 5), picture.shape[:2])[..., None]
    if rng.random() < 0.4:
        inside = cv2.GaussianBlur(soft[..., 0], (0, 0), 2.0)[..., None]
        sheet = sheet - rng.uniform(10, 70) * np.clip(1 - inside, 0, 0.5)
    return sheet.astype(np.float32), _constant(picture, 1.0)


def _black(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:  # noqa: ARG001 - Content's signature
    """Ink, or the dark lid of a scanner behind a hole."""
    ink = rng.uniform(0, 35) + rng.normal(0, rng.uniform(0, 4), picture.shape[:2])[..., None]
    return np.broadcast_to(ink, picture.shape).astype(np.float32), _constant(picture, 1.0)


def _grey(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:  # noqa: ARG001 - Content's signature
    """The mid grey of `apply`."""
    return np.full_like(picture, HOLE_GREY), _constant(picture, 1.0)


def _flat(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:  # noqa: ARG001 - Content's signature
    """One colour, as of a pen, a sticker, or an editor's brush; often a pure one."""
    colour = rng.uniform(0, 255, 3) if rng.random() < 0.6 else rng.choice([0.0, 255.0], 3)
    layer = np.broadcast_to(colour, picture.shape) + rng.choice([0.0, 3.0]) * rng.standard_normal(picture.shape)
    return layer.astype(np.float32), _constant(picture, rng.uniform(0.85, 1.0))


def _noise(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:  # noqa: ARG001 - Content's signature
    """Random pixels, or blocks of them, grey or coloured."""
    grain = int(rng.integers(1, 5))
    cells = (picture.shape[0] // grain + 1, picture.shape[1] // grain + 1, int(rng.choice([1, 3])))
    blocks = np.repeat(np.repeat(rng.uniform(0, 255, cells), grain, axis=0), grain, axis=1)
    layer = np.broadcast_to(blocks[: picture.shape[0], : picture.shape[1]], picture.shape)
    return layer.astype(np.float32), _constant(picture, 1.0)


def _stain(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:
    """A brown liquid that dried: it darkens what lies below, unevenly, and most at its rim."""
    brown = np.array([150.0, 105.0, 60.0]) * rng.uniform(0.5, 1.3) + rng.normal(0, 12, 3)
    layer = picture * (brown / 255) * rng.uniform(0.2, 0.9) + brown * rng.uniform(0.3, 0.6)
    inside = cv2.GaussianBlur(soft[..., 0], (0, 0), 3.0)
    strength = rng.uniform(0.5, 0.95) + rng.uniform(0, 0.5) * (1 - inside) + 0.08 * noise(rng, _shape(picture), 20.0, 3)
    return layer.astype(np.float32), np.clip(strength, 0.3, 1)[..., None].astype(np.float32)


def _line(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:  # noqa: ARG001 - Content's signature
    """What a scratch shows: the white base or a dark groove, in places only half through."""
    tone = rng.uniform(215, 255) if rng.random() < 0.65 else rng.uniform(0, 50)
    layer = np.broadcast_to(tone + rng.normal(0, 6, 3), picture.shape)
    strength = rng.uniform(0.7, 1.0) + 0.15 * noise(rng, _shape(picture), 12.0, 2)
    return layer.astype(np.float32), np.clip(strength, 0.35, 1)[..., None].astype(np.float32)


def _faded(rng: np.random.Generator, picture: Pixels, soft: Pixels) -> tuple[Pixels, Pixels]:  # noqa: ARG001 - Content's signature
    """Content bleached towards the paper, of which a trace is left."""
    return np.broadcast_to(_sheet(rng), picture.shape).astype(np.float32), _constant(picture, rng.uniform(0.5, 0.9))


CONTENTS: Mapping[str, Content] = MappingProxyType(
    {
        "paper": _paper,
        "black": _black,
        "grey": _grey,
        "flat": _flat,
        "noise": _noise,
        "stain": _stain,
        "line": _line,
        "faded": _faded,
    }
)


def _sheet(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(3,) colour of paper: white, cream or yellowed."""
    white, yellowed = np.full(3, 252.0), np.array([222.0, 200.0, 152.0])
    sheet: npt.NDArray[np.float64] = white + rng.random() * (yellowed - white) - rng.uniform(0, 20)
    return sheet


def _constant(picture: Pixels, opacity: float) -> Pixels:
    return np.full((*picture.shape[:2], 1), opacity, np.float32)


def _shape(picture: Pixels) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]
