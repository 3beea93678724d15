"""Spread values over a picture up to its own edges: to pixels of like luma, and little across a step of it.

The minimum of Levin, Lischinski and Weiss 2004 ("Colorization using optimization"), on the four-neighbour graph of
Grady 2006 ("Random walks for image segmentation"), in a small copy; its edges are found again in the photo by a guided
filter (He, Sun, Tang 2013) that is made in the copy and used on the photo's luma.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

Plane = npt.NDArray[np.float32]

SIDE = 256
"""Long side, pixels, of the copy in which values are spread."""
_EDGE = 3.0
"""Difference of luma between neighbours, grey levels of that copy, across which little passes."""
_LEAK = 3e-4
"""What passes across the sharpest edge, as a share of what passes where there is none."""
_CALM = 1.0
"""Standard deviation, pixels of that copy, by which luma is smoothed first: grain is no edge."""
_RADIUS, _REGULAR = 3, 1e-3 * 255**2
"""Of the guided filter: radius, pixels of that copy, and the variance of luma below which there is no edge."""


def spread(shown: Plane, targets: Plane, weights: Plane) -> Plane:
    """Spread values over a picture: near their targets where these weigh, elsewhere like neighbours of like luma.

    Args:
        shown: luma (H, W), 0..255.
        targets: (H, W, N) of any unit.
        weights: (H, W), at least 0 and not all 0; a neighbour without an edge between weighs 1.

    Returns:
        (H, W, N) float32: the minimum of the weighted squared differences.
    """
    height, width = shown.shape
    links = _links(np.asarray(cv2.GaussianBlur(shown, (0, 0), _CALM), np.float32))
    own = weights.ravel().astype(np.float64)
    system = sparse.diags_array(np.asarray(links.sum(axis=1)).ravel() + own) - links
    factors = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}, diag_pivot_thresh=0.0)
    wanted = own[:, None] * targets.reshape(height * width, -1)
    return np.asarray(factors.solve(wanted).reshape(targets.shape), np.float32)


@dataclass(frozen=True, eq=False)
class Guide:
    """Values that follow the luma of a photo, whose edges they have.

    Attributes:
        slope, offset: (h, w, N), of a line over luma, at each pixel of a small copy.
        shape: height and width of the photo.
    """

    slope: Plane
    offset: Plane
    shape: tuple[int, int]

    def at(self, shown: Plane, top: int) -> Plane:
        """Values (n, W, N) of the rows from `top` on of a photo, whose luma is (n, W)."""
        slope, offset = (self._rows(one, top, len(shown)) for one in (self.slope, self.offset))
        return np.asarray(slope * shown[..., None] + offset, np.float32)

    def _rows(self, values: Plane, top: int, count: int) -> Plane:
        """Some rows of values (h, w, N) that are enlarged linearly to the photo."""
        place = ((np.arange(top, top + count) + 0.5) * len(values) / self.shape[0] - 0.5).astype(np.float32)
        first = np.floor(place)
        near, far = (np.clip(one, 0, len(values) - 1).astype(int) for one in (first, first + 1))
        share = (place - first)[:, None, None]
        tall = np.asarray((1 - share) * values[near] + share * values[far], np.float32)
        wide = cv2.resize(tall, (self.shape[1], count), interpolation=cv2.INTER_LINEAR)
        return np.asarray(wide, np.float32).reshape(count, self.shape[1], -1)


def guided(small: Plane, shown_small: Plane, shape: tuple[int, int]) -> Guide:
    """Make the guide to values (h, w, N), spread in a copy of luma (h, w), for a photo of a shape (height, width)."""
    side = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
    mean, level = cv2.blur(small, side).reshape(small.shape), cv2.blur(shown_small, side)
    variance = cv2.blur(shown_small * shown_small, side) - level * level
    together = cv2.blur(small * shown_small[..., None], side).reshape(small.shape) - mean * level[..., None]
    slope = together / (variance + _REGULAR)[..., None]
    offset = mean - slope * level[..., None]
    soft_slope, soft_offset = (np.asarray(cv2.blur(one, side), np.float32) for one in (slope, offset))
    return Guide(soft_slope.reshape(small.shape), soft_offset.reshape(small.shape), shape)


def small_side(shape: tuple[int, ...]) -> tuple[int, int]:
    """Give the width and height of the copy of a picture (height, width)."""
    shrink = min(1.0, SIDE / max(shape[:2]))
    return max(1, round(shape[1] * shrink)), max(1, round(shape[0] * shrink))


def _links(calm: Plane) -> sparse.csr_array:
    """What passes between neighbouring pixels, (H * W, H * W), symmetric."""
    number = np.arange(calm.size).reshape(calm.shape)
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    step = np.concatenate([np.diff(calm, axis=1).ravel(), np.diff(calm, axis=0).ravel()]).astype(np.float64)
    passing = _LEAK + (1 - _LEAK) * np.exp(-np.square(step / _EDGE))
    links = sparse.coo_array((passing, (first, second)), shape=(calm.size, calm.size)).tocsr()
    return links + links.T
