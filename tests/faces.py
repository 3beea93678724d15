"""A face for tests that need no picture: 68 fixed points of a frontal, symmetric face."""

import numpy as np
import numpy.typing as npt

# The image-left half, x, y in the unit square of an aligned portrait; the other half is its mirror picture.
_JAW = [(0.216, 0.484), (0.219, 0.558), (0.226, 0.632), (0.239, 0.705), (0.265, 0.773), (0.309, 0.831), (0.366, 0.88)]
_JAW_LOW = (0.429, 0.919)
_CHIN = (0.5, 0.931)
_BROW = [(0.27, 0.429), (0.304, 0.395), (0.354, 0.383), (0.406, 0.389), (0.454, 0.408)]
_EYE = [(0.328, 0.475), (0.359, 0.457), (0.395, 0.457), (0.427, 0.481), (0.393, 0.486), (0.358, 0.486)]
_NOSE = [(0.5, 0.465), (0.5, 0.511), (0.5, 0.558), (0.5, 0.606), (0.443, 0.641), (0.471, 0.651), (0.5, 0.659)]
_LIPS = [(0.383, 0.728), (0.427, 0.711), (0.47, 0.702), (0.5, 0.709)]


def _mirror(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(1.0 - x, y) for x, y in reversed(points)]


def _right_eye() -> list[tuple[float, float]]:
    order = [3, 2, 1, 0, 5, 4]  # iBUG starts each eye at its image-left corner and goes clockwise
    return [(1.0 - _EYE[i][0], _EYE[i][1]) for i in order]


def _mouth() -> list[tuple[float, float]]:
    outer_low = [(0.575, 0.767), (0.533, 0.785), (0.5, 0.789), (0.467, 0.785), (0.425, 0.767)]
    inner_up = [(0.4, 0.73), (0.47, 0.726), (0.5, 0.729), (0.53, 0.726), (0.6, 0.73)]
    inner_low = [(0.532, 0.749), (0.5, 0.753), (0.468, 0.749)]
    return [*_LIPS, *_mirror(_LIPS[:3]), *outer_low, *inner_up, *inner_low]


def mean_landmarks(size: int) -> npt.NDArray[np.float32]:
    """(68, 2) float32 iBUG points x, y in pixels of a `size` x `size` aligned portrait: frontal, exactly symmetric."""
    half = [*_JAW, _JAW_LOW]
    jaw = [*half, _CHIN, *_mirror(half)]
    nose = [*_NOSE, *_mirror(_NOSE[4:6])]
    points = [*jaw, *_BROW, *_mirror(_BROW), *nose, *_EYE, *_right_eye(), *_mouth()]
    return np.array(points, dtype=np.float32) * size
