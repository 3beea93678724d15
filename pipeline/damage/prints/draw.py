"""Draw damage of any kind on a print, and tell for each pixel whether it is damaged, and by what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Mask
from pipeline.damage.prints.look import soften
from pipeline.damage.prints.losses import corner, hole, tear
from pipeline.damage.prints.patches import ink, scrape, silvering, stain, tape
from pipeline.damage.prints.picture import Field, Painter, Pixels
from pipeline.damage.prints.specks import dust, spot
from pipeline.damage.prints.thin import crack, fold, hair, scratch

PAINTERS: Mapping[str, Painter] = MappingProxyType(
    {
        "crack": crack,
        "fold": fold,
        "scratch": scratch,
        "dust": dust,
        "hair": hair,
        "spot": spot,
        "stain": stain,
        "silvering": silvering,
        "ink": ink,
        "tape": tape,
        "tear": tear,
        "corner": corner,
        "hole": hole,
        "scrape": scrape,
    }
)
"""By kind, in the order of `models.damage_finder.kinds.KINDS`."""

_SEEN = 9.0
"""Change, grey levels of the most changed channel, from which a pixel may count as damaged."""
_COVERED = 0.5
"""Opacity from which a pixel counts as damaged if its neighbourhood changed."""
_AREA, _CALM = 15, 3.0
"""Side of the neighbourhood over which a tint is seen, pixels, and how much calmer than a pixel it is."""


@dataclass(frozen=True, eq=False)
class DamagedPrint:
    """A damaged print before it is digitised.

    Attributes:
        picture: (H, W, 3) float32, 0..255.
        intact: (H, W, 3) float32, 0..255, the same without the damage.
        covered: (H, W) float32, 0..1, opacity of the damage.
        kind: (H, W) uint8, index into `PAINTERS` of the kind that changed a pixel most; 255 elsewhere.
    """

    picture: Pixels
    intact: Pixels
    covered: Field
    kind: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Labels:
    """What there is to find.

    Attributes:
        damaged: (H, W) bool, pixels that look different for the damage, soft edges included.
        kind: (H, W) uint8, index into `PAINTERS` of the kind that covers a damaged pixel; 255 elsewhere.
        judged: (H, W) bool; False where damage is there but cannot be seen: white paper on a white dress, a faint line
            in hair or under coarse grain.
    """

    damaged: Mask
    kind: npt.NDArray[np.uint8]
    judged: Mask


def damage_print(
    rng: np.random.Generator, picture: Pixels, kinds: Sequence[str], scale: float, blur: float
) -> DamagedPrint:
    """Draw one piece of damage of each kind, in turn, then blur the picture with and without damage alike.

    Args:
        rng: source of randomness.
        picture: (H, W, 3) float32, 0..255, intact.
        kinds: names of `PAINTERS`; may repeat.
        scale: width of a hairline, pixels.
        blur: standard deviation of the scanner's softness, pixels.
    """
    shape = (picture.shape[0], picture.shape[1])
    names = list(PAINTERS)
    done = picture
    covered = np.zeros(shape, np.float32)
    kind = np.full(shape, 255, np.uint8)
    strongest = np.zeros(shape, np.float32)
    for name in kinds:
        painted = PAINTERS[name](rng, done, scale)
        changed = np.maximum(painted.opacity, np.abs(painted.picture - done).max(axis=-1) / 60)
        newer = changed > np.maximum(0.1, 0.5 * strongest)
        kind[newer], strongest[newer] = names.index(name), changed[newer]
        done, covered = painted.picture, np.maximum(covered, painted.opacity)
    before, after = (soften(np.clip(one, 0, 255), blur) for one in (picture, done))
    if blur > 0:
        covered = np.asarray(cv2.GaussianBlur(covered, (0, 0), blur), np.float32)
    return DamagedPrint(after, before, covered, kind)


def label(drawn: DamagedPrint, grain: float) -> Labels:
    """Tell which pixels look damaged, and by what, to one who sees the picture under grain.

    A pixel that changed by less than `_SEEN`, or by less than the standard deviation of its surroundings, grain
    included, does not show it. Over an area a tint shows sooner.

    Args:
        drawn: damage, drawn.
        grain: standard deviation that digitising adds, grey levels.
    """
    change = np.abs(drawn.picture - drawn.intact).max(axis=-1)
    seen = np.maximum(_SEEN, _clutter(drawn.intact, grain))
    over_area = np.maximum(_SEEN, seen / _CALM)
    opaque = drawn.covered > _COVERED
    within = cv2.blur(drawn.covered, (_AREA, _AREA)) > _COVERED
    damaged = change > seen
    damaged |= opaque & (cv2.blur(change, (5, 5)) > seen)
    damaged |= opaque & within & (cv2.blur(change, (_AREA, _AREA)) > over_area)
    hidden = (opaque | (change > _SEEN)) & ~damaged
    return Labels(damaged, _spread(drawn.kind, damaged), ~hidden)


def _clutter(intact: Pixels, grain: float) -> Field:
    """(H, W): standard deviation of luma in 7 x 7 pixels, grain included, grey levels."""
    luma = intact @ np.array([0.299, 0.587, 0.114], np.float32)
    variance = cv2.blur(luma * luma, (7, 7)) - cv2.blur(luma, (7, 7)) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0) + np.float32(grain**2)), np.float32)


def _spread(kind: npt.NDArray[np.uint8], damaged: Mask) -> npt.NDArray[np.uint8]:
    """Give soft rims the kind of the nearest labelled pixel."""
    bare = damaged & (kind == 255)
    if bare.any() and (kind != 255).any():
        _, labels = cv2.distanceTransformWithLabels(
            (kind == 255).astype(np.uint8), cv2.DIST_L1, 3, labelType=cv2.DIST_LABEL_PIXEL
        )
        rows, columns = np.nonzero(kind != 255)
        by_label = np.zeros(int(labels.max()) + 1, np.uint8)
        by_label[labels[rows, columns]] = kind[rows, columns]
        kind = np.where(bare, by_label[labels], kind)
    return np.asarray(np.where(damaged, kind, 255), np.uint8)
