"""Speed of the synthesiser: `python -m pipeline.damage.bench`.

Prints masks per second (CPU time of one core) for each kind, for the sampler with its measures, and for the same
brush strokes drawn by `paint` and `cut`, and naively.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from models.face.regions import Points
from models.images import Mask
from pipeline.config.load import load_params
from pipeline.damage.cut import cut
from pipeline.damage.draw import COLOUR_KINDS, HOLE_KINDS, draw
from pipeline.damage.sampler import DamageSampler
from pipeline.damage.scene import Scene
from pipeline.damage.strokes import Strokes, brush_strokes, paint


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


COVERAGES = (0.05, 0.15, 0.25, 0.35, 0.45)


def frontal_landmarks(size: int) -> Points:
    """(68, 2) points of a schematic face: an ellipse for the jaw and a small cloud for each feature."""
    jaw_angles = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.5 + 0.28 * np.cos(jaw_angles), 0.48 + 0.45 * np.sin(jaw_angles)], axis=1)
    parts = [jaw]
    features = [(5, 0.36, 0.39), (5, 0.64, 0.39), (9, 0.5, 0.6), (6, 0.375, 0.475), (6, 0.625, 0.475), (20, 0.5, 0.745)]
    for count, x, y in features:
        turns = np.arange(count) * 2 * np.pi / count
        parts.append(np.stack([x + 0.09 * np.cos(turns), y + 0.03 * np.sin(turns)], axis=1))
    return (np.concatenate(parts) * size).astype(np.float32)


def seconds_each(work: Callable[[int], object], count: int) -> float:
    """Mean CPU seconds of `work(i)` over i = 0..count-1, after one call to warm up."""
    work(0)
    start = time.process_time()
    for index in range(count):
        work(index)
    return (time.process_time() - start) / count


def stroke_times(scene: Scene, count: int) -> tuple[float, float]:
    """CPU seconds a mask for the same brush strokes: by `paint` and `cut`, and naively."""
    cases = [brush_strokes(np.random.default_rng(i), scene, COVERAGES[i % 5]) for i in range(count)]
    missing = [round(COVERAGES[i % 5] * len(scene.hull_pixels)) for i in range(count)]
    rng = np.random.default_rng(0)
    fast = seconds_each(lambda i: cut(rng, paint(cases[i], scene), scene.hull, missing[i]), count)
    naive = seconds_each(lambda i: draw_naively(cases[i], scene, missing[i]), count)
    return fast, naive


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="side of the picture, pixels")
    parser.add_argument("--count", type=int, default=100, help="masks per row")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    landmarks = frontal_landmarks(options.size)
    for kind in (*HOLE_KINDS, *COLOUR_KINDS):
        _row(kind, seconds_each(_drawing(kind, landmarks, options.size), options.count))
    sampler = DamageSampler(load_params(Path("params.yaml")).masks, training=True)
    rng = np.random.default_rng(0)
    _row("sampler, with measures", seconds_each(lambda _: sampler.sample(rng, landmarks, options.size), options.count))
    fast, naive = stroke_times(Scene.of(landmarks, options.size), 20)
    _row("brush strokes, fast", fast)
    _row("the same, naively", naive)
    print(f"{'times faster':24s} {naive / fast:8.0f}")  # noqa: T201 - a benchmark's output


def _drawing(kind: str, landmarks: Points, size: int) -> Callable[[int], object]:
    return lambda i: draw(np.random.default_rng(i), kind, COVERAGES[i % 5], landmarks, size)


def _row(name: str, seconds: float) -> None:
    print(f"{name:24s} {seconds * 1000:8.2f} ms {1 / seconds:8.0f} masks/s")  # noqa: T201 - a benchmark's output


if __name__ == "__main__":
    main()
