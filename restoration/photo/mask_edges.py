"""How far damage reaches beyond its mask: the soft edge that a scanner's blur and JPEG leave, read off the picture.

From pixels along the rim, traces run outwards over the picture and inwards over the damage. Where the colour just
outside leans towards the damage, and falls to that of the ground further out, the mask grows as far as it leans.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.windows import around, shared, widened, within

_LEAST_LIMIT, _MOST_LIMIT, _LIMIT_SHARE = 8, 12, 0.01
"""A mask grows by this share of the longer side at most, within these bounds in pixels: JPEG's blocks do not scale."""
_GAP, _GROUND = 3, 6
"""The ground of a pixel is the mean of so many pixels of its trace, beginning so far beyond it."""
_LEAST_LEAN = 1.5
"""Grey levels of Y, Cr or Cb below which a rim is not seen."""
_LEAST_CONTRAST = 8.0
"""Grey levels of Y, Cr or Cb by which damage has to differ from its surroundings to leave a rim."""
_SURE = 3.0
"""Standard errors that a contrast and a lean have to exceed."""
_LARGE = 2048
"""Side of the parts, in pixels, in which large damage is looked at: what that takes grows with the part."""
_TILE = 48
"""Side of the squares, in pixels, over which a piece's contrast is averaged."""
_TRACES_PER_PIECE, _TRACES = 600, 20_000
"""At most so many traces for a piece, and about so many in all."""
_FEWEST = 40
"""A piece with fewer traces goes with all pieces of the photo."""
_ALIKE = 3
"""Neighbouring pixels of a rim that tell about as much as one."""
_DEEP = 4
"""Pixels inwards from which on the inside of a piece tells what its damage looks like away from the edge."""
_FALL, _THIN_FALL = 0.35, 0.15
"""Share of the lean that two pixels take away where an edge is soft, of deep and of thin pieces; a thing that merely
lies near the mask leaves the first pixels alike."""
_YIELDS = 0.35
"""Share of the lean by which the first pixel inside yields: blur goes both ways."""
_STEEP = 0.08
"""Share of the contrast between the first pixels inside and outside: an edge of more than 4 pixels' blur has less."""
_THIN_LEAN = 0.12
"""Share of the contrast by which the rim of a thin piece has to lean, whose inside says nothing."""
_COVERED, _COVERED_LEVELS = 0.75, 20.0
"""Share of the contrast, and grey levels, from which on the first pixel inside is ground: the mask is wide enough."""
_PLAIN, _EVEN = 0.35, 0.15
"""Shares of the contrast: a rim that differs by no more from even damage is damage itself, though it need not fall."""
_SEEN = 0.4
"""Share of the traces that have to see a contrast."""
_VARIES, _THIN_VARIES = 0.3, 0.6
"""Shares of the contrast: what varies by more inside is no damage but a picture."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Rim:
    """Known pixels beside the mask: where (N,), of which piece (N,), and the way out (N, 2) as (row, column)."""

    rows: Ints
    columns: Ints
    piece: Ints
    out: Floats

    def some(self, chosen: Mask | Ints) -> "_Rim":
        return _Rim(self.rows[chosen], self.columns[chosen], self.piece[chosen], self.out[chosen])

    @property
    def part(self) -> Ints:
        """A number for each piece in each tile, counted from 0: (N,)."""
        tiles = int(self.columns.max(initial=0)) // _TILE + 1
        tile = self.rows // _TILE * tiles + self.columns // _TILE
        place = self.piece * (int(tile.max(initial=0)) + 1) + tile
        return np.asarray(np.unique(place, return_inverse=True)[1].reshape(-1), np.int64)


@dataclass(frozen=True, eq=False)
class _Traces:
    """What traces from the rim see.

    `out` (N, D, 3): colours outwards, `seen` (N, D) where they still lead away from every mask; `ground` (N, 3): those
    at the far end; `inner` and `damage` (N, 3): those at the near and the far end inwards; `deep` (N,): where these lie
    well apart.
    """

    out: Floats
    seen: Mask
    ground: Floats
    inner: Floats
    damage: Floats
    deep: Mask


@dataclass(frozen=True, eq=False)
class _Edge:
    """One channel's edge in each group of traces (G,): medians, in grey levels towards the damage.

    `contrast` of damage and ground; `lean` of the first pixel outside over the ground, `fall` within the next two;
    `yields`: what the first pixel inside has lost; `step` between these; `apart`: the first pixel outside from damage;
    `varies`: the damage, `differs`: its contrast, each from its median; `seen`: whether enough traces see a contrast.
    """

    contrast: Floats
    lean: Floats
    fall: Floats
    yields: Floats
    step: Floats
    apart: Floats
    varies: Floats
    differs: Floats
    seen: Mask


def limit(shape: tuple[int, ...]) -> int:
    """The most pixels by which a mask of a picture of `shape` grows."""
    return int(np.clip(round(_LIMIT_SHARE * max(shape[:2])), _LEAST_LIMIT, _MOST_LIMIT))


def grow_to_edges(image: Image, mask: Mask, budget: Budget = UNLIMITED) -> Mask:
    """A mask that contains `mask` (H, W) and the rim into which its damage bled in `image` (H, W, 3).

    Each piece grows as far as its own rim shows, small ones as far as those of the whole photo do, none by more than
    `limit`. Nothing grows where the inside does not differ from the outside, or where the edge is hard. Large damage of
    a large photo is looked at part by part, each with pieces of its own.

    Raises:
        Stopped: the budget is spent.
    """
    if not mask.any() or mask.all():
        return mask.copy()
    most = limit(mask.shape)
    sees = most + _GAP + _GROUND + 4
    window = around(mask, sees)
    grown = np.zeros(mask.shape, np.bool_)  # takes memory where it is written to, and nowhere else
    for top in range(window[0].start, window[0].stop, _LARGE):
        for left in range(window[1].start, window[1].stop, _LARGE):
            budget.check()
            part = slice(top, min(top + _LARGE, window[0].stop)), slice(left, min(left + _LARGE, window[1].stop))
            seen = shared(widened(part, most + sees, mask.shape), window)
            if mask[seen].any():
                grown[part] = _grown(image[seen], mask[seen], most, budget)[within(part, seen)]
    return grown


def _grown(image: Image, mask: Mask, most: int, budget: Budget) -> Mask:
    rim, outside, inside = _rim(mask)
    budget.check()
    if not len(rim.rows):
        return mask
    reach = _reaches(image, rim, outside, inside, most)
    return np.asarray(mask | _spread(rim, reach, outside, budget), np.bool_)


def _rim(mask: Mask) -> tuple[_Rim, Floats, Floats]:
    """The rim, and the distances (H, W) of known pixels from the mask and of its own pixels from known ones."""
    hole = mask.astype(np.uint8)
    outside = _distance(1 - hole)
    inside = _distance(hole)
    signed = cv2.GaussianBlur(outside - inside, (0, 0), 1.5)
    rows, columns = np.nonzero(outside == 1)
    piece = _beside(cv2.connectedComponents(hole, connectivity=8)[1], rows, columns)
    out = np.stack([cv2.Sobel(signed, cv2.CV_32F, *way)[rows, columns] for way in ((0, 1), (1, 0))], axis=-1)
    length = np.linalg.norm(out, axis=-1, keepdims=True)
    rim = _Rim(rows, columns, piece, np.asarray(out / np.maximum(length, 1e-6), np.float32))
    return rim, outside, inside


def _distance(pixels: npt.NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.distanceTransform(pixels, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _beside(labels: npt.NDArray[np.int32], rows: Ints, columns: Ints) -> Ints:
    """A label of the four neighbours of each pixel, the largest."""
    padded = np.pad(labels, 1)
    near = [padded[rows + 1 + down, columns + 1 + right] for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    return np.asarray(np.max(near, axis=0), np.int64)


def _reaches(image: Image, rim: _Rim, outside: Floats, inside: Floats, most: int) -> Ints:
    """By how many pixels the mask grows at each pixel of the rim: (N,)."""
    part = rim.part
    chosen = _sample(rim.piece)
    traces, usable = _traces(image, rim.some(chosen), outside, inside, most)
    chosen = chosen[usable]
    contrast = _contrast(traces, part[chosen], int(part.max()) + 1)
    piece = rim.piece[chosen]
    enough = np.bincount(piece, minlength=int(rim.piece.max()) + 1) >= _FEWEST
    own = _reach(traces, contrast[part[chosen]], piece, len(enough), most)
    common = _reach(traces, contrast[part[chosen]], np.zeros_like(piece), 1, most)
    alike = np.isin(part, part[chosen]) & enough[rim.piece] & ~contrast[part].any(axis=1)
    return np.where(alike, 0, np.where(enough, own, common)[rim.piece])


def _sample(piece: Ints) -> Ints:
    """Indices of evenly spread pixels of each piece's rim."""
    order = np.argsort(piece, kind="stable")
    count = np.bincount(piece)
    rank = np.arange(len(piece)) - (np.cumsum(count) - count)[piece[order]]
    stride = np.maximum(-(-count // _TRACES_PER_PIECE), -(-len(piece) // _TRACES))
    return np.asarray(order[rank % stride[piece[order]] == 0], np.int64)


def _traces(image: Image, rim: _Rim, outside: Floats, inside: Floats, most: int) -> tuple[_Traces, Ints]:
    """Traces of those pixels of the rim from which enough can be seen, and their indices."""
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    out, seen = _walk(colours, outside, rim, np.arange(most + _GAP + _GROUND))
    inner, held = _walk(colours, inside, rim, -np.arange(1, most + 1))
    usable = np.flatnonzero(seen[:, _GAP + _GROUND] & held[:, 0])
    out, seen, inner, held = out[usable], seen[usable], inner[usable], held[usable]
    deep = held.sum(axis=1) >= _DEEP
    return _Traces(out, seen, _end(out, seen, _GROUND), inner[:, 0], _end(inner, held, 2), deep), usable


def _walk(colours: Image, distance: Floats, rim: _Rim, steps: Ints) -> tuple[Floats, Mask]:
    """Colours (N, D, 3) `steps` (D,) away from the rim, and where each way still leads to larger `distance` (N, D)."""
    height, width = distance.shape
    rows = np.rint(rim.rows[:, None] + rim.out[:, :1] * steps).astype(np.int64)
    columns = np.rint(rim.columns[:, None] + rim.out[:, 1:] * steps).astype(np.int64)
    within = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    far = np.where(within, distance[rows, columns], 0)
    rising = (far > 0) & (far >= np.maximum.accumulate(far, axis=1) - 0.75)
    return colours[rows, columns].astype(np.float32), np.logical_and.accumulate(rising, axis=1)


def _end(colours: Floats, seen: Mask, count: int) -> Floats:
    """The mean of the last `count` colours seen on each trace: (N, 3)."""
    length = seen.sum(axis=1, keepdims=True)
    last = seen & (np.arange(seen.shape[1]) >= length - count)
    return np.asarray((colours * last[..., None]).sum(axis=1) / last.sum(axis=1, keepdims=True), np.float32)


def _contrast(traces: _Traces, part: Ints, parts: int) -> Floats:
    """By how much damage differs from the ground in each part (parts, 3); 0 where that is not sure."""
    count = np.maximum(np.bincount(part, minlength=parts), 1)[:, None]
    differs = traces.damage - traces.ground
    mean, square = (
        np.stack([np.bincount(part, values[:, c], parts) for c in range(3)], axis=-1) / count
        for values in (differs, differs**2)
    )
    error = np.sqrt(np.maximum(square - mean**2, 1.0) / np.maximum(count / _ALIKE, 1.0))
    return np.where(np.abs(mean) > np.maximum(_LEAST_CONTRAST, _SURE * error), mean, 0).astype(np.float32)


def _reach(traces: _Traces, contrast: Floats, group: Ints, groups: int, most: int) -> Ints:
    """How far the rim leans towards the damage, in each group of traces: (groups,) pixels."""
    lean = np.zeros((groups, most, 3), np.float32)
    error = np.full((groups, most, 3), np.inf, np.float32)
    for step, channel in np.ndindex(most, 3):
        ground = slice(step + _GAP, step + _GAP + _GROUND)
        used = (contrast[:, channel] != 0) & traces.seen[:, ground.stop - 1]
        beyond = traces.out[used, ground, channel].mean(axis=1)
        leans = np.sign(contrast[used, channel]) * (traces.out[used, step, channel] - beyond)
        lean[:, step, channel], error[:, step, channel] = _middle(leans, group[used], groups)
    begins = _begins(traces, contrast, group, lean)
    sure = lean > np.maximum(_LEAST_LEAN, _SURE * error)
    reach: Ints = np.logical_and.accumulate((sure & begins[:, None]).any(axis=-1), axis=1).sum(axis=1)
    return reach


def _begins(traces: _Traces, contrast: Floats, group: Ints, lean: Floats) -> Mask:
    """Whether the lean (groups, steps, 3) begins as a soft edge does: (groups, 3)."""
    groups = len(lean)
    edges = [_edge(traces, contrast[:, channel], group, groups, channel) for channel in range(3)]
    deep = 2 * np.bincount(group, traces.deep, groups) > np.bincount(group, minlength=groups)
    soft = [_is_soft(edge, lean[:, 0, channel], deep) for channel, edge in enumerate(edges)]
    covered = [edge.yields > np.maximum(_COVERED * edge.contrast, _COVERED_LEVELS) for edge in edges]
    even = [np.maximum(edge.varies, np.abs(edge.yields)) <= _EVEN * edge.contrast for edge in edges]
    plain = [alike & (edge.apart <= _PLAIN * edge.contrast) for alike, edge in zip(even, edges, strict=True)]
    varies = [
        np.where(deep, edge.varies <= _VARIES * edge.contrast, edge.differs <= _THIN_VARIES * edge.contrast) & edge.seen
        for edge in edges
    ]
    as_soft = np.stack(soft, axis=-1) & ~(np.any(covered, axis=0) & deep)[:, None]
    as_plain = (np.all(plain, axis=0) & deep)[:, None]
    return np.asarray((as_soft | as_plain) & np.any(varies, axis=0)[:, None])


def _is_soft(edge: _Edge, first: Floats, deep: Mask) -> Mask:
    """Whether one channel's edge has the shape of a blurred one (groups,), as far as deep and thin pieces show it."""
    falls = edge.fall >= np.where(deep, _FALL * first, _THIN_FALL * edge.lean)
    both = (edge.yields >= _YIELDS * first) & (edge.step >= _STEEP * edge.contrast)
    return np.asarray(falls & np.where(deep, both, first >= _THIN_LEAN * edge.contrast))


def _edge(traces: _Traces, contrast: Floats, group: Ints, groups: int, channel: int) -> _Edge:
    used = contrast != 0
    own, sign = group[used], np.sign(contrast[used])
    sides = (traces.damage, traces.inner, traces.out[:, 0], traces.out[:, 2], traces.ground)
    damage, inner, outer, third, ground = (side[used, channel] for side in sides)

    def middle(values: Floats) -> Floats:
        return _medians(values, own, groups)

    differs = sign * (damage - ground)
    return _Edge(
        contrast=middle(np.abs(contrast[used])),
        lean=middle(sign * (outer - ground)),
        fall=middle(sign * (outer - third)),
        yields=middle(sign * (damage - inner)),
        step=middle(sign * (inner - outer)),
        apart=middle(np.abs(damage - outer)),
        varies=middle(np.abs(damage - middle(damage)[own])),
        differs=middle(np.abs(differs - middle(differs)[own])),
        seen=np.bincount(own, minlength=groups) > _SEEN * np.bincount(group, minlength=groups),
    )


def _middle(values: Floats, group: Ints, groups: int) -> tuple[Floats, Floats]:
    """The median in each group and its standard error (groups,); of a group without values 0 and infinity."""
    middle = _medians(values, group, groups)
    count = np.bincount(group, minlength=groups)
    spread = 1.4826 * _medians(np.abs(values - middle[group]), group, groups)
    error = 1.25 * np.maximum(spread, 0.5) / np.sqrt(np.maximum(count / _ALIKE, 1.0))
    return middle, np.where(count > 0, error, np.inf)


def _medians(values: Floats, group: Ints, groups: int) -> Floats:
    order = np.lexsort((values, group))
    count = np.bincount(group, minlength=groups)
    place = np.cumsum(count) - count + count // 2
    result = np.zeros(groups, np.float32)
    result[count > 0] = values[order][place[count > 0]]
    return result


def _spread(rim: _Rim, reach: Ints, outside: Floats, budget: Budget) -> Mask:
    """Known pixels (H, W) within the reach of a pixel of the rim, which itself is the first."""
    grown = np.zeros(outside.shape, np.bool_)
    for pixels in np.unique(reach[reach > 0]):
        budget.check()
        seeds = np.ones(outside.shape, np.uint8)
        chosen = reach == pixels
        seeds[rim.rows[chosen], rim.columns[chosen]] = 0
        grown |= _distance(seeds) <= pixels - 1
    return grown & (outside > 0)
