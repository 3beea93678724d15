"""Geometry of the sampler's canvas: smooth warps, the part that is face, feature regions, light.

The canvas is a square in which every face has the mean shape (shape-free texture, Cootes et al. 2001,
doi:10.1109/34.927467). Points are (x, y) with pixel centres at whole numbers.
"""

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

CANVAS = 160
"""Side of the canvas, pixels."""
COARSE = 80
"""Side of the grid on which principal components are kept, pixels."""
OUTPUT = 128
"""Side of a sampled portrait, pixels."""

_MIRRORED_EYES = (45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40)
_MIRRORED_MOUTH = (*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65)
MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), *_MIRRORED_EYES, *_MIRRORED_MOUTH]
)
"""Index of each of the 68 iBUG points in a mirrored picture."""

_GRID = 2  # the warp is computed on every other pixel and interpolated between


def mirrored(landmarks: npt.NDArray[np.floating], size: int) -> Array:
    """Mirror the 68 points (..., 68, 2) of a picture of side `size`."""
    points = landmarks[..., MIRROR, :].astype(np.float32)
    points[..., 0] = size - 1 - points[..., 0]
    return points


def rescale(points: npt.NDArray[np.floating], source: int, target: int) -> Array:
    """Convert pixel coordinates (..., 2) of a picture of side `source` to the same picture at side `target`."""
    return ((points + 0.5) * (target / source) - 0.5).astype(np.float32)


def unfolded(landmarks: Array) -> Array:
    """Sort lips and lids of canvas points (68, 2) from top to bottom, so that the warp does not fold."""
    points = landmarks.copy()
    for chain, gaps in _CHAINS:
        heights = points[chain, 1]
        ordered = heights[0] + np.concatenate([[0], np.cumsum(np.maximum(np.diff(heights), gaps))])
        points[chain, 1] = ordered - ordered.mean() + heights.mean()
    return points


_CHAINS: list[tuple[list[int], list[float]]] = [
    *(
        ([upper, inner, under, lower], [1.5, 0.4, 1.5])
        for upper, inner, under, lower in ((50, 61, 67, 58), (51, 62, 66, 57), (52, 63, 65, 56))
    ),
    *(([lid, under], [1.5]) for lid, under in ((37, 41), (38, 40), (43, 47), (44, 46))),
]
"""Points one below the other, and the least distances between them in canvas pixels."""


def border_points(size: int) -> Array:
    """List (16, 2) points along the border, which hold the picture's frame in place while a face moves."""
    steps = np.linspace(0, size - 1, 5)
    edges = [(x, y) for x in steps for y in (0, size - 1)] + [(x, y) for x in (0, size - 1) for y in steps[1:-1]]
    return np.array(edges, np.float32)


def warp_map(target: Array, source: Array, target_size: int, source_size: int) -> Array:
    """Compute a thin-plate spline (Bookstein 1989, doi:10.1109/34.24792) from target pixels to source pixels.

    Args:
        target: landmarks (68, 2) in the picture to be made.
        source: the same landmarks (68, 2) in the picture to read from.
        target_size: side of the picture to be made, pixels.
        source_size: side of the picture to read from, pixels.

    Returns:
        (target_size, target_size, 2) float32, for `cv2.remap`.
    """
    knots = np.concatenate([target, border_points(target_size)]).astype(np.float64)
    values = np.concatenate([source, border_points(source_size)]).astype(np.float64)
    side = target_size // _GRID + 1
    steps = np.arange(side, dtype=np.float64) * _GRID
    grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    coarse = (_spline_terms(grid, knots) @ _spline_weights(knots, values)).reshape(side, side, 2)
    at = np.arange(target_size, dtype=np.float32) / _GRID
    x, y = np.meshgrid(at, at)
    return _array(cv2.remap(coarse.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _spline_terms(points: npt.NDArray[np.float64], knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    squared = (points[:, :1] - knots[:, 0]) ** 2 + (points[:, 1:] - knots[:, 1]) ** 2
    return np.concatenate([squared * np.log(squared + 1e-9), np.ones((len(points), 1)), points], axis=1)


def _spline_weights(knots: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    count = len(knots)
    system = np.zeros((count + 3, count + 3))
    system[:count] = _spline_terms(knots, knots)
    system[count:, :count] = system[:count, count:].T
    return np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))


def face_mask(mean_shape: Array) -> Array:
    """Draw (CANVAS, CANVAS): 1 on the face from chin to just above the brows, 0 elsewhere."""
    brows = mean_shape[17:27] - np.array([0, 7], np.float32)
    outline = np.concatenate([mean_shape[:17], brows[::-1]])
    mask = np.zeros((CANVAS, CANVAS), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 8).astype(np.int32)], 1, shift=3)
    return mask.astype(np.float32)


def modelled_pixels(mean_shape: Array) -> npt.NDArray[np.bool_]:
    """Select (COARSE, COARSE) pixels that have principal components: the face and a band around it."""
    wide = cv2.dilate(face_mask(mean_shape), np.ones((17, 17)))
    return np.asarray(to_coarse(wide) > 0.5)


def feature_weights(mean_shape: Array) -> Array:
    """Compute (4, CANVAS, CANVAS) soft shares of eyes with brows, nose, mouth, and the skin between; they sum to 1."""
    left, right = (0.6 * mean_shape[e].mean(0) + 0.4 * mean_shape[b].mean(0) for e, b in (_LEFT, _RIGHT))
    eyes = _bump(left, 20, 16) + _bump(right, 20, 16)
    nose = _bump(mean_shape[29:36].mean(0), 13, 18)
    mouth = _bump(mean_shape[48:60].mean(0), 24, 14)
    weights = np.stack([eyes, nose, mouth, np.full_like(eyes, 0.15)])
    return _array(weights / weights.sum(0))


_LEFT = (slice(36, 42), slice(17, 22))
_RIGHT = (slice(42, 48), slice(22, 27))


def _bump(centre: Array, across: float, down: float) -> Array:
    y, x = np.mgrid[:CANVAS, :CANVAS]
    return _array(np.exp(-((((x - centre[0]) / across) ** 2 + ((y - centre[1]) / down) ** 2) ** 2)))


def light_basis(mean_shape: Array) -> Array:
    """Compute (3, CANVAS, CANVAS) x, y and z of the normals of a rounded head, z less its mean over the face.

    First-order spherical harmonics of its shading (Ramamoorthi and Hanrahan 2001, doi:10.1145/383259.383317).
    """
    low, high = mean_shape.min(0), mean_shape.max(0)
    centre, radius = (low + high) / 2, (high - low) * np.array([0.62, 0.75], np.float32)
    y, x = np.mgrid[:CANVAS, :CANVAS]
    across, down = np.tanh((x - centre[0]) / radius[0]), np.tanh((y - centre[1]) / radius[1])
    towards = np.sqrt(np.clip(1 - across**2 - down**2, 0.05, 1))
    towards -= towards[face_mask(mean_shape) > 0].mean()
    return _array(np.stack([across, down, towards]))


def to_coarse(image: Array) -> Array:
    """Shrink (CANVAS, CANVAS[, C]) to (COARSE, COARSE[, C]) by area averages."""
    return _array(cv2.resize(image, (COARSE, COARSE), interpolation=cv2.INTER_AREA))


def to_canvas(image: Array) -> Array:
    """Enlarge (COARSE, COARSE[, C]) to (CANVAS, CANVAS[, C]), cubic."""
    return _array(cv2.resize(image, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC))


def _array(values: npt.NDArray[np.generic]) -> Array:
    return np.asarray(values, np.float32)
