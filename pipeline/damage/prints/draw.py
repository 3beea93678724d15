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
from pipeline.damage.prints.picture import Painter, Pixels
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
"""Change, grey levels of the most changed channel, from which a pixel counts as damaged."""
_COVERED = 0.5
"""Opacity from which a pixel counts as damaged if its neighbourhood changed."""


@dataclass(frozen=True, eq=False)
class DamagedPrint:
    """A damaged print before it is digitised.

    Attributes:
        picture: (H, W, 3) float32, 0..255.
        damaged: (H, W) bool, pixels that look different for the damage, soft edges included.
        kind: (H, W) uint8, index into `PAINTERS` of the kind that covers a damaged pixel; 255 elsewhere.
        judged: (H, W) bool; False where damage is there but cannot be seen, as white paper on a white dress.
    """

    picture: Pixels
    damaged: Mask
    kind: npt.NDArray[np.uint8]
    judged: Mask


def damage_print(
    rng: np.random.Generator, picture: Pixels, kinds: Sequence[str], scale: float, blur: float
) -> DamagedPrint:
    """Draw one piece of damage of each kind, in turn, then blur picture and label alike.

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
    done = np.clip(done, 0, 255)
    before, after = soften(np.clip(picture, 0, 255), blur), soften(done, blur)
    if blur > 0:
        covered = np.asarray(cv2.GaussianBlur(covered, (0, 0), blur), np.float32)
    change = np.abs(after - before).max(axis=-1)
    nearby = cv2.blur(change, (5, 5))
    opaque = covered > _COVERED
    damaged = (change > _SEEN) | (opaque & (nearby > _SEEN))
    return DamagedPrint(after, damaged, _spread(kind, damaged), ~(opaque & ~damaged))


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
