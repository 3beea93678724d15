"""Spread values over a picture up to its own edges: to pixels of like luma, and little across a step of it.

The minimum of Levin, Lischinski and Weiss 2004 ("Colorization using optimization"), on the four-neighbour graph of
Grady 2006 ("Random walks for image segmentation"), in a small copy; its edges are found again in the photo by a guided
filter (He, Sun, Tang 2013) that is made in the copy and used on the photo's luma.
"""

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


def found_again(small: Plane, shown_small: Plane, shown: Plane) -> Plane:
    """Enlarge values (h, w, N), spread in a copy of luma (h, w), to the photo's luma (H, W), with its edges."""
    side = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
    mean, level = cv2.blur(small, side).reshape(small.shape), cv2.blur(shown_small, side)
    variance = cv2.blur(shown_small * shown_small, side) - level * level
    together = cv2.blur(small * shown_small[..., None], side).reshape(small.shape) - mean * level[..., None]
    slope = together / (variance + _REGULAR)[..., None]
    offset = mean - slope * level[..., None]
    slope, offset = (_enlarged(cv2.blur(one, side).reshape(small.shape), shown.shape) for one in (slope, offset))
    return np.asarray(slope * shown[..., None] + offset, np.float32)


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


def _enlarged(values: Plane, shape: tuple[int, ...]) -> Plane:
    large = cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(*shape, -1)
