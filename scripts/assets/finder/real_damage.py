"""Real damage that the finder learns from: parts of damaged prints, and their cracks and flakes moved to other prints.

Damage was drawn by hand on the prints as lines and boxes (`scripts.assets.finder.hand_drawn`). Which pixels it covers
is told by white and black top-hats near the lines; what the hand did not judge and the hats do not clear is not judged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.damage_finder.kinds import KINDS
from models.images import Image, Mask
from pipeline.damage.prints.draw import DamagedPrint, label
from pipeline.damage.prints.look import added_grain, digitise, soften
from pipeline.damage.prints.picture import Field, Pixels, lay_over, paper_tone
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from scripts.assets.finder.example import Example
from scripts.assets.finder.hand_drawn import Print, read_prints

_LONGEST_SIDE = 1600
_NEAR = 0.008
"""How far from its line damage lies, as a share of the long side."""
_CLEAR, _SHOWN = 5.0, 8.0
"""Top-hats, grey levels, below which a pixel is intact, and above which it may be damaged."""
_ABOVE_SURROUNDINGS = 1.2
"""How many times the mean of its surroundings a top-hat is at least where there is damage."""
_FLAKE = (2.2, 16.0)
"""A flake's least top-hat: times the mean of its surroundings, and grey levels."""
_DARK_WEIGHT = 0.8
"""What a dark line's top-hat counts beside a light one's."""
_UNLABELLED = 255
_CRACK, _DUST = KINDS.index("crack"), KINDS.index("dust")
VIEWED = (340.0, 2000.0)
"""Long side to which a damaged print is resized before a part is cut out, pixels: least and greatest."""
_MOST_ENLARGED = 2.5


@dataclass(frozen=True, eq=False)
class RealDamage:
    """A damaged print, and its damage as layers that can be laid over another.

    Attributes:
        image: (H, W, 3) uint8.
        damaged: (H, W) bool.
        judged: (H, W) bool; False where nobody said whether there is damage.
        detail: (H, W) bool; True where something stands out and is intact: pearls, lace, seams.
        kind: (H, W) uint8, index of the kind of a damaged pixel, 255 elsewhere.
        lost: (H, W) float32, 0..1, opacity of bare paper.
        shade: (H, W) float32, 0..1, share of the light that is left in a crack's dark flank.
    """

    image: Image
    damaged: Mask
    judged: Mask
    detail: Mask
    kind: npt.NDArray[np.uint8]
    lost: Field
    shade: Field


def read_real_damage(prints: Path, limits: Limits, without: Collection[str] = ()) -> list[RealDamage]:
    """Read the prints of a folder on which damage was drawn; `without`: names of files to leave out, for a test."""
    return [
        real_damage(read_picture(prints / one.file, limits), one)
        for one in read_prints()
        if one.cracks and one.file not in without and (prints / one.file).is_file()
    ]


def real_damage(photo: Image, one: Print) -> RealDamage:
    """Tell which pixels of a photo (H, W, 3) are damaged, and take the damage off as layers."""
    scale = min(1.0, _LONGEST_SIDE / max(photo.shape[:2]))
    image = photo
    if scale < 1:
        image = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    near = max(2, round(_NEAR * max(image.shape[:2])))
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    white, black = _top_hats(luma, near)
    hat = np.maximum(white, np.float32(_DARK_WEIGHT) * black)
    shown = _stands_out(hat, near, _ABOVE_SURROUNDINGS, _SHOWN)
    line = np.ones(luma.shape, np.uint8)
    for crack in one.cracks:
        cv2.polylines(line, [np.round(crack.line * scale).astype(np.int32)], False, 0, 1)
    away = cv2.distanceTransform(line, cv2.DIST_L2, 5)
    cracked = _touching(shown & (away <= near), away <= 0.6 * near + 0.5)
    flaked = _inside(luma.shape, one.flaked, scale) & _stands_out(white, near, *_FLAKE) & ~cracked
    damaged = cracked | flaked
    beside = cv2.dilate(damaged.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    judged = damaged | ((hat < _CLEAR) & ~beside) | (_inside(luma.shape, one.intact, scale) & (away > near))
    kind = np.select([cracked, flaked], [np.uint8(_CRACK), np.uint8(_DUST)], np.uint8(_UNLABELLED))
    lost, shade = _layers(luma, damaged)
    detail = judged & ~damaged & (hat > _SHOWN)
    return RealDamage(image, damaged, judged, detail, kind.astype(np.uint8), lost, shade)


def real_part(
    rng: np.random.Generator, sources: Sequence[RealDamage], side: int, viewed: tuple[float, float] = VIEWED
) -> Example:
    """A part (side, side) of a damaged print, turned, resized, toned a little differently and digitised again."""
    source = _drawn(rng, sources)
    view = _view(rng, source, _looked_at(rng, source), side, upright=True, viewed=viewed)
    curve = np.clip(view.image.astype(np.float32) / 255, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
    low, high = rng.uniform(0, 40), rng.uniform(190, 255)
    toned = np.asarray(low + (high - low) * curve, np.float32)
    if rng.random() < 0.4:
        toned = np.repeat(toned.mean(axis=-1, keepdims=True), 3, axis=-1)
    image = digitise(rng, toned) if rng.random() < 0.6 else np.clip(toned, 0, 255).astype(np.uint8)
    return Example(image, view.damaged, np.where(view.damaged, view.kind, np.uint8(_UNLABELLED)), view.judged)


def moved_damage(rng: np.random.Generator, picture: Pixels, sources: Sequence[RealDamage]) -> Example:
    """Lay a part of a print's damage over an intact picture (S, S, 3), then scan that."""
    source = _drawn(rng, sources)
    view = _view(rng, source, source.damaged, len(picture), upright=False)
    lost = np.clip(view.lost * rng.uniform(0.7, 1.2), 0, 1).astype(np.float32)
    shade = np.asarray(view.shade ** np.float32(rng.uniform(0.5, 1.4)), np.float32)
    if rng.random() < 0.12:  # filled with dirt
        torn = np.asarray(picture * (1 - rng.uniform(0.3, 0.8) * lost[..., None]), np.float32)
    else:
        torn = lay_over(picture * shade[..., None], paper_tone(rng), lost)
    blur = 0.0 if rng.random() < 0.4 else rng.uniform(0.3, 1.0)
    before, after = (soften(np.clip(one, 0, 255), blur) for one in (picture, torn))
    drawn = DamagedPrint(after, before, np.maximum(lost, 1 - shade), view.kind)
    image = digitise(rng, drawn.picture)
    labels = label(drawn, added_grain(image, drawn.picture))
    return Example(image, labels.damaged, labels.kind, labels.judged)


def _drawn(rng: np.random.Generator, sources: Sequence[RealDamage]) -> RealDamage:
    """One of the prints; those with more damage more often."""
    weights = np.sqrt([source.damaged.sum() for source in sources])
    return sources[int(rng.choice(len(sources), p=weights / weights.sum()))]


def _looked_at(rng: np.random.Generator, source: RealDamage) -> Mask:
    """Where a part is cut out: damage, details that are easily taken for damage, or plain intact places."""
    choice = rng.random()
    if choice < 0.3 and source.detail.any():
        return source.detail
    return source.damaged if choice < 0.75 else np.asarray(source.judged & ~source.damaged, np.bool_)


def _top_hats(luma: npt.NDArray[np.uint8], radius: int) -> tuple[Field, Field]:
    """(H, W) float32 each: how far a pixel is lighter, and darker, than what is near, grey levels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    white, black = (cv2.morphologyEx(luma, how, disc) for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT))
    return white.astype(np.float32), black.astype(np.float32)


def _stands_out(hat: Field, radius: int, times: float, levels: float) -> Mask:
    """(H, W) whether a top-hat is so many times its mean nearby, and so many grey levels."""
    side = 8 * radius + 1
    return np.asarray(hat > np.maximum(levels, times * cv2.blur(hat, (side, side))), np.bool_)


def _touching(mask: Mask, seed: Mask) -> Mask:
    """The connected parts of a mask that a seed touches."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    touched = np.zeros(int(labels.max()) + 1, np.bool_)
    touched[np.unique(labels[seed & mask])] = True
    return np.asarray(touched[labels] & mask, np.bool_)


def _inside(shape: tuple[int, ...], boxes: Sequence[tuple[int, int, int, int]], scale: float) -> Mask:
    mask = np.zeros(shape, np.bool_)
    for x0, y0, x1, y1 in (np.round(np.array(box) * scale).astype(int) for box in boxes):
        mask[y0:y1, x0:x1] = True
    return mask


def _layers(luma: npt.NDArray[np.uint8], damaged: Mask) -> tuple[Field, Field]:
    """Opacity of paper and share of light left, (H, W) each, by what an inpainting takes to lie beneath."""
    hole = cv2.dilate(damaged.astype(np.uint8), np.ones((5, 5), np.uint8))
    beneath = cv2.inpaint(luma, hole, 3, cv2.INPAINT_TELEA).astype(np.float32)
    seen = luma.astype(np.float32)
    paper = max(200.0, float(np.quantile(seen[damaged], 0.98)))
    edge = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 1.0) * hole
    lost = np.clip((seen - beneath) / np.maximum(paper - beneath, 20), 0, 1) * edge
    shade = 1 - (1 - np.clip(seen / np.maximum(beneath, 1), 0, 1)) * edge
    return lost.astype(np.float32), shade.astype(np.float32)


def _view(
    rng: np.random.Generator,
    source: RealDamage,
    at: Mask,
    side: int,
    upright: bool,
    viewed: tuple[float, float] = VIEWED,
) -> RealDamage:
    """A part (side, side) of all layers around a random pixel of `at`, resized and mirrored; turned if not upright."""
    height, width = source.damaged.shape
    longest = np.exp(rng.uniform(*np.log(viewed)))
    scale = float(min(max(longest / max(height, width), side / min(height, width)), _MOST_ENLARGED))
    y, x = np.argwhere(at)[int(rng.integers(int(at.sum())))] + rng.uniform(-0.35, 0.35, 2) * side / scale
    if upright:  # within the print, as far as it is large enough
        half = 0.5 * side / scale
        y, x = (min(max(one, half), max(length - half, half)) for one, length in ((y, height), (x, width)))
    angle = rng.uniform(-6, 6) if upright else rng.uniform(0, 360)
    turn = cv2.getRotationMatrix2D((x * scale, y * scale), angle, 1.0)
    turn[:, 2] += side / 2 - np.array([x, y]) * scale
    flip = rng.random() < 0.5

    def cut(layer: npt.NDArray[np.float32], border: int, beyond: float = 0.0) -> npt.NDArray[np.float32]:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        sized = cv2.resize(layer, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=method)
        part = cv2.warpAffine(sized, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=beyond)
        return np.ascontiguousarray(part[:, ::-1] if flip else part, np.float32)

    image = cut(source.image.astype(np.float32), cv2.BORDER_REFLECT)
    share = cut(source.damaged.astype(np.float32), cv2.BORDER_REFLECT)
    judged = cut(source.judged.astype(np.float32), cv2.BORDER_REFLECT)
    dusty = cut((source.kind == _DUST).astype(np.float32), cv2.BORDER_REFLECT)
    damaged = share > 0.4
    return replace(
        source,
        image=np.clip(image, 0, 255).astype(np.uint8),
        damaged=damaged,
        judged=(judged > 0.6) & (damaged | (share < 0.1)),
        detail=cut(source.detail.astype(np.float32), cv2.BORDER_REFLECT) > 0.5,
        kind=np.where(dusty > 0.5 * np.maximum(share, 0.05), np.uint8(_DUST), np.uint8(_CRACK)),
        lost=np.clip(cut(source.lost, cv2.BORDER_CONSTANT), 0, 1),
        shade=np.clip(cut(source.shade, cv2.BORDER_CONSTANT, 1.0), 0, 1),
    )
