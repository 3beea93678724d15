"""Figures of lifting a veil (`--fade`): `python -m scripts.benchmarks.measure_fade --portraits DIR`.

Held-out people (`DIR/ffhq256`) are faded by a seeded draw: contrast compressed between a lifted, tinted black and a
yellowed white, aged as prints are (unevenly, darker or paler towards the sides), some with soft stains. Printed, by
damage: identity distance of the aligned face to the intact one, by both encoders, before and after lifting, and the
paired difference with a 95 % interval; the mean error of luma and the colour difference. Intact photos go through, too.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from models.assets import ASSETS
from models.images import Image, to_tensor
from pipeline.config.load import Params, load_params
from pipeline.damage.prints.look import age
from pipeline.damage.prints.picture import Pixels, soft_noise
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from pipeline.project.process import quieten
from restoration.photo.classical import luma
from restoration.photo.geometry import cut, frame_of, to_frame
from restoration.photo.veil import find_veil
from restoration.types import load_tools
from scripts.assets.finder.sources import split_files
from scripts.one_thread import use_one_thread

_STAIN = np.array([0.92, 0.78, 0.5], np.float32)
"""What a stain lets through of red, green and blue."""
_RESAMPLES = 2000


def faded(rng: np.random.Generator, intact: Image, *, aged: bool, stained: bool) -> Image:
    """Fade a photo (H, W, 3); `aged`: unevenly, too; `stained`: with a soft stain over a part of it."""
    black = rng.uniform(30, 80) * np.array([1, rng.uniform(0.75, 1), rng.uniform(0.5, 0.9)])
    white = rng.uniform(190, 235) * np.array([1, rng.uniform(0.86, 0.96), rng.uniform(0.65, 0.85)])
    picture: Pixels = np.asarray(black + (white - black) * (intact / np.float32(255)), np.float32)
    if stained:
        noise = soft_noise(rng, intact.shape[:2], max(intact.shape) * 0.4)
        picture = picture * (1 - np.clip(2 * noise, 0, 1)[..., None] * (1 - _STAIN))
    if aged:
        picture = age(rng, picture)
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def photos(portraits: Path, count: int, limits: Limits) -> Iterator[tuple[str, Image]]:
    """Held-out people, by name."""
    files = split_files(portraits / "ffhq256", "test")
    for file in files[:: max(1, len(files) // count)][:count]:
        yield file.stem, read_picture(file, limits)


@torch.inference_mode()
def measure(portraits: Path, count: int, seed: int, params: Params) -> pd.DataFrame:
    """One row per person, damage and state."""
    tools, rows = load_tools(params.restore.min_detector_score), []
    for number, (name, intact) in enumerate(photos(portraits, count, Limits.of(params.ingest))):
        for face in tools.detector.detect(intact)[:1]:
            frame = frame_of(face.points, (intact.shape[0], intact.shape[1]), 128)
            points = torch.from_numpy(to_frame(frame, face.points))[None]
            truth = {one.name: one.embed(to_tensor(cut(frame, intact)), points) for one in tools.encoders}
            for damage, flags in DAMAGES.items():
                rng = np.random.default_rng((seed, number))
                before = intact if flags is None else faded(rng, intact, aged=flags[0], stained=flags[1])
                veil = find_veil(before, np.zeros(before.shape[:2], np.bool_))
                for state, picture in (("before", before), ("after", before if veil is None else veil.lift(before))):
                    row: dict[str, object] = {"name": name, "damage": damage, "state": state}
                    for one in tools.encoders:
                        alike = float((one.embed(to_tensor(cut(frame, picture)), points) * truth[one.name]).sum())
                        row[one.name] = 1 - alike
                    row["luma"] = float(np.abs(luma(picture) - luma(intact)).mean())
                    row["colour"] = float(deltaE_ciede2000(rgb2lab(picture), rgb2lab(intact)).mean())
                    rows.append(row | {"strength": 0.0 if veil is None else veil.strength})
    return pd.DataFrame(rows)


DAMAGES: dict[str, tuple[bool, bool] | None] = {
    "none": None,
    "faded": (False, False),
    "faded, stained": (False, True),
    "faded, aged": (True, False),
    "faded, aged, stained": (True, True),
}
"""By name: whether it is aged, and stained."""


def table(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row per damage and figure: its mean before and after, and the paired difference with its interval."""
    lines = []
    for damage, some in rows.groupby("damage", sort=False):
        before, after = (some[some.state == state].set_index("name") for state in ("before", "after"))
        draw = Bootstrap(list(before.index), _RESAMPLES, np.random.default_rng(seed))
        for figure in [name for name in rows.columns if name not in ("name", "damage", "state", "strength")]:
            difference = (after[figure] - before[figure]).to_numpy()
            interval = draw.means(difference[:, None])[0]
            means = {"before": before[figure].mean(), "after": after[figure].mean(), "difference": difference.mean()}
            lines.append({"damage": damage, "figure": figure, **means, "low": interval.low, "high": interval.high})
    return pd.DataFrame(lines)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    rows = measure(arguments.portraits, arguments.count, arguments.seed, load_params(ASSETS.parent / "params.yaml"))
    print(rows.groupby(["damage", "state"], sort=False)["strength"].describe().round(3).to_string())
    print(table(rows, arguments.seed).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
