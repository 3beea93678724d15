"""Compares weights of the damage finder before and after further training, and their average, on real prints.

`python -m scripts.benchmarks.finder_weights BEFORE AFTER --prints DIR` prints the share of the hand-drawn cracks that
the network for parts finds where so many per cent of the hand-drawn intact details are masked.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.assets import ASSETS
from models.damage_finder.finder import Finder
from models.damage_finder.network import FinderNetwork
from models.images import Image
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from scripts.assets.finder.hand_drawn import Print, read_prints
from scripts.assets.finder.training import averaged
from scripts.benchmarks.real_prints import TOLERANCE, crack_recall
from scripts.one_thread import use_one_thread

SHARES = (0.005, 0.01, 0.02)
"""Of the boxes around intact details, masked."""
_LEAST = 0.03
"""Probability below which nothing counts as found."""
LATER = (0.0, 0.3, 0.5, 0.7, 1.0)
"""Shares of the weights after, in the average."""


def recalls(finder: Finder, image: Image, one: Print) -> list[float]:
    """Share of a print's cracks found at each of `SHARES`."""
    probability = finder.search_parts(image)[0] / 255
    inside = np.zeros(probability.shape, np.bool_)
    for x0, y0, x1, y1 in one.intact:
        inside[y0:y1, x0:x1] = True
    limits = [max(float(np.quantile(probability[inside], 1 - share)), _LEAST) for share in SHARES]
    return [crack_recall(probability > limit, one.cracks, TOLERANCE * max(one.size)) for limit in limits]


def with_parts(finder: Finder, network: FinderNetwork) -> Finder:
    """The finder with another network for parts."""
    return replace(finder, parts=replace(finder.parts, network=network))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--prints", type=Path, required=True)
    arguments = parser.parse_args()
    use_one_thread()
    limits = Limits.of(load_params(ASSETS.parent / "params.yaml").ingest)
    before, after = Finder.load(arguments.before), Finder.load(arguments.after)
    for one in (one for one in read_prints() if one.cracks):
        image = read_picture(arguments.prints / one.file, limits)
        for share in LATER:
            finder = with_parts(before, averaged(before.parts.network, after.parts.network, share))
            found = " / ".join(f"{recall:.2f}" for recall in recalls(finder, image, one))
            print(f"| {one.file} | {share:.1f} | {found} |")


if __name__ == "__main__":
    main()
