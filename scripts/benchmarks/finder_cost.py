"""Print what searching a photo costs, on one core.

`python -m scripts.benchmarks.finder_cost [--sides 400 1024 4000 8448]`.
CPU seconds per megapixel, and the process's peak memory before and after, in MiB. The photo is the astronaut of
scikit-image, enlarged, with grain (seed 0).
"""

import argparse
import resource
import time
from pathlib import Path

import cv2
import numpy as np

from models.face.detector import FaceDetector
from models.images import Image
from pipeline.config.load import load_params
from restoration.find_damage import find_damage, shipped_finder
from scripts.one_thread import use_one_thread


def photo(side: int) -> Image:
    """A photo (side, 2 / 3 side, 3)."""
    from skimage import data

    picture = np.asarray(
        cv2.resize(data.astronaut(), (round(side / 1.5), side), interpolation=cv2.INTER_CUBIC), np.uint8
    )
    rng = np.random.default_rng(0)
    for top in range(0, side, 256):  # in strips, which keeps memory small
        strip = picture[top : top + 256]
        strip[:] = np.clip(strip + rng.normal(0, 4, strip.shape[:2])[..., None], 0, 255)
    return picture


def main() -> None:
    """Search photos of several sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[400, 1024, 2000, 4000, 8448])
    sides = parser.parse_args().sides
    use_one_thread()
    params = load_params(Path("params.yaml")).restore
    finder, detector = shipped_finder(), FaceDetector(params.min_detector_score)
    print("| photo | megapixels | CPU s | CPU s a megapixel | peak MiB before | peak MiB |\n|---|---|---|---|---|---|")
    for side in sides:
        image = photo(side)
        before, start = _peak(), time.process_time()
        find_damage(image, finder, detector, params.finder)
        seconds, size = time.process_time() - start, image.shape[0] * image.shape[1] / 1e6
        shape = f"{image.shape[1]} x {image.shape[0]}"
        print(f"| {shape} | {size:.2f} | {seconds:.2f} | {seconds / size:.2f} | {before:.0f} | {_peak():.0f} |")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
