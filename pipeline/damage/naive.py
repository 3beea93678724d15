"""The plain way to draw strokes up to a coverage: the reference that the fast one is checked and timed against."""

import numpy as np

from models.images import Mask
from pipeline.damage.scene import Scene
from pipeline.damage.strokes import Strokes


def draw_naively(strokes: Strokes, scene: Scene, missing: int) -> Mask:
    """Stamp a disc at every point of every segment, by a distance test over the whole picture, and recount each time.

    Args:
        strokes: in the order of drawing.
        scene: gives the face hull.
        missing: pixels of the hull to reach; the segment that reaches it is the last, and is drawn whole.

    Returns:
        (H, W) bool.
    """
    hole = np.zeros(scene.shape, np.bool_)
    x, y = scene.grid
    for start, end, width in zip(*strokes.segments(), strict=True):
        for step in np.linspace(0, 1, int(np.hypot(*(end - start)) * 2) + 2):
            at = start + step * (end - start)
            hole |= (x - at[0]) ** 2 + (y - at[1]) ** 2 <= (width / 2) ** 2
        if np.count_nonzero(hole & scene.hull) >= missing:
            break
    return hole
