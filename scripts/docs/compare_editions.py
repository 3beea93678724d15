"""Draw both editions side by side: `python -m scripts.docs.compare_editions --portraits DIR --out FILE`.

Test people of one source (congress by default: public figures), aligned portraits of 128 pixels, one damage each:
original, damaged, restored by the research edition and by the open one, at 100 % or enlarged.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from models.assets import EDITIONS
from models.images import Image, to_uint8
from models.load import load_restorer
from pipeline.config.load import load_params
from pipeline.damage.sampler import DamageSampler
from pipeline.image_io.write import write_picture
from pipeline.portraits.read import load_image
from pipeline.project.process import quieten
from pipeline.registry.weights import shipped_weights
from scripts.assets.refiner.people import SOURCES, gather_people, people_of
from scripts.benchmarks.measure_real_people import damage
from scripts.one_thread import use_one_thread

_GAP = 4
"""Pixels between pictures."""


def main() -> None:
    """Damage, restore and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--source", choices=SOURCES, default="congress")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--enlarged", type=int, default=1)
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    rows = people_of(paths, "test")
    rows = rows[rows["folder"] == arguments.source].sample(arguments.people, random_state=arguments.seed)
    sampler = DamageSampler(load_params(Path("params.yaml")).masks, training=False)
    rng = np.random.default_rng(arguments.seed)
    restorers = [load_restorer(shipped_weights(edition)) for edition in EDITIONS]
    lines = []
    for _, row in rows.iterrows():
        image = load_image(paths, row["portrait_id"])
        damaged, _ = damage(sampler, rng, image, row)
        with torch.inference_mode():
            restored = [to_uint8(one.restore(damaged))[0] for one in restorers]
        shown = to_uint8(torch.where(damaged.hole_mask > 0.5, torch.ones(()), damaged.image))[0]
        lines.append([image, shown, *restored])
    write_picture(arguments.out, sheet(lines, arguments.enlarged))


def sheet(lines: list[list[Image]], times: int) -> Image:
    """Draw pictures (S, S, 3) in lines, enlarged, on white."""
    side = lines[0][0].shape[0] * times + _GAP
    drawn = np.full((side * len(lines), side * len(lines[0]), 3), 255, np.uint8)
    for y, line in enumerate(lines):
        for x, picture in enumerate(line):
            large = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
            drawn[y * side : y * side + side - _GAP, x * side : x * side + side - _GAP] = large
    return drawn


if __name__ == "__main__":
    main()
