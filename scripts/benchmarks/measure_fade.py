"""Figures of lifting a veil (`--fade`): `python -m scripts.benchmarks.measure_fade --portraits DIR`.

Held-out people (`DIR/ffhq256`) are faded by a seeded draw: contrast compressed between a lifted, tinted black and a
yellowed white, aged as prints are (unevenly, darker or paler towards the sides), some with soft stains. They are also
made into prints of one tone (grey, sepia, cyan), the silver of which bleaches. Printed, by damage: how many were lifted
as prints of one tone; identity distance of the aligned face to the intact one, by both encoders, before and after
lifting, and the paired difference with a 95 % interval; the mean error of luma, the colour difference, and the turn of
the hue in Lab where there is colour. Intact photos and prints go through, too.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
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
from restoration.photo.colour.veil import find_veil
from restoration.photo.geometry import cut, frame_of, to_frame
from restoration.types import load_tools
from scripts.assets.finder.sources import split_files
from scripts.one_thread import use_one_thread

_STAIN = np.array([0.92, 0.78, 0.5], np.float32)
"""What a stain lets through of red, green and blue."""
_RESAMPLES = 2000
_TONES = {
    "grey": ((20, 20, 20), (240, 240, 240)),
    "sepia": ((42, 26, 14), (244, 224, 188)),
    "cyan": ((12, 32, 44), (212, 236, 240)),
}
"""Shadow and paper of prints of one tone."""
_COLOURED = 5.0
"""Chroma in Lab of the intact picture from which a hue is compared."""


@dataclass(frozen=True)
class Damage:
    """What becomes of a photo.

    Attributes:
        toned: whether it is made into a print of one tone first, which then is the truth.
        faded: whether contrast is lost.
        aged: whether unevenly, too.
        stained: whether there is a soft stain over a part of it.
    """

    toned: bool = False
    faded: bool = True
    aged: bool = False
    stained: bool = False


DAMAGES = {
    "none": Damage(faded=False),
    "faded": Damage(),
    "faded, stained": Damage(stained=True),
    "faded, aged": Damage(aged=True),
    "faded, aged, stained": Damage(aged=True, stained=True),
    "print": Damage(toned=True, faded=False),
    "print, bleached": Damage(toned=True),
    "print, bleached, stained": Damage(toned=True, stained=True),
}


def toned(rng: np.random.Generator, intact: Image) -> tuple[Image, Pixels]:
    """Make a photo (H, W, 3) a print of one tone; with the colour (3,) of its paper."""
    shadow, paper = (np.array(one, np.float32) for one in _TONES[str(rng.choice(list(_TONES)))])
    return np.asarray(np.rint(shadow + (paper - shadow) * luma(intact) / 255), np.uint8), paper


def damaged(rng: np.random.Generator, intact: Image, damage: Damage) -> tuple[Image, Image]:
    """A photo (H, W, 3) before it was damaged, and after."""
    if not damage.toned:
        return intact, faded(rng, intact, aged=damage.aged, stained=damage.stained) if damage.faded else intact
    truth, paper = toned(rng, intact)
    if not damage.faded:
        return truth, truth
    bleached: Pixels = np.asarray(paper * (truth / paper) ** np.float32(rng.uniform(0.35, 0.6)), np.float32)
    return truth, _rounded(_stained(rng, bleached) if damage.stained else bleached)


def faded(rng: np.random.Generator, intact: Image, *, aged: bool, stained: bool) -> Image:
    """Fade a photo (H, W, 3); `aged`: unevenly, too; `stained`: with a soft stain over a part of it."""
    black = rng.uniform(30, 80) * np.array([1, rng.uniform(0.75, 1), rng.uniform(0.5, 0.9)])
    white = rng.uniform(190, 235) * np.array([1, rng.uniform(0.86, 0.96), rng.uniform(0.65, 0.85)])
    picture: Pixels = np.asarray(black + (white - black) * (intact / np.float32(255)), np.float32)
    if stained:
        picture = _stained(rng, picture)
    return _rounded(age(rng, picture) if aged else picture)


def hue_turn(picture: Image, truth: Image) -> float:
    """Median turn of the hue in Lab, degrees, where the truth (H, W, 3) has colour; NaN where it has none."""
    (_, green, blue), (_, true_green, true_blue) = (np.moveaxis(rgb2lab(one), -1, 0) for one in (picture, truth))
    coloured = np.hypot(true_green, true_blue) >= _COLOURED
    if coloured.mean() < 0.1:
        return float("nan")
    turn = np.arctan2(blue, green) - np.arctan2(true_blue, true_green)
    return float(np.median(np.degrees(np.abs(np.angle(np.exp(1j * turn[coloured]))))))


def _stained(rng: np.random.Generator, picture: Pixels) -> Pixels:
    noise = soft_noise(rng, (picture.shape[0], picture.shape[1]), max(picture.shape) * 0.4)
    return np.asarray(picture * (1 - np.clip(2 * noise, 0, 1)[..., None] * (1 - _STAIN)), np.float32)


def _rounded(picture: Pixels) -> Image:
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def photos(portraits: Path, count: int, limits: Limits) -> Iterator[tuple[str, Image]]:
    """Held-out people, by name."""
    files = split_files(portraits / "ffhq256", "test")
    for file in files[:: max(1, len(files) // count)][:count]:
        yield file.stem, read_picture(file, limits)


@torch.inference_mode()
def measure(portraits: Path, count: int, seed: int, params: Params) -> pd.DataFrame:
    """One row per person, damage and state."""
    tools, rows = load_tools(params.restore.min_detector_score, params.identity), []
    for number, (name, intact) in enumerate(photos(portraits, count, Limits.of(params.ingest))):
        for face in tools.detector.detect(intact)[:1]:
            frame = frame_of(face.points, (intact.shape[0], intact.shape[1]), 128)
            points = torch.from_numpy(to_frame(frame, face.points))[None]
            for kind, damage in DAMAGES.items():
                truth, before = damaged(np.random.default_rng((seed, number)), intact, damage)
                known = {one.name: one.embed(to_tensor(cut(frame, truth)), points) for one in tools.encoders}
                veil = find_veil(before, np.zeros(before.shape[:2], np.bool_))
                for state, picture in (("before", before), ("after", before if veil is None else veil.lift(before))):
                    row: dict[str, object] = {"name": name, "damage": kind, "state": state}
                    for one in tools.encoders:
                        alike = float((one.embed(to_tensor(cut(frame, picture)), points) * known[one.name]).sum())
                        row[one.name] = 1 - alike
                    row["luma"] = float(np.abs(luma(picture) - luma(truth)).mean())
                    row["colour"] = float(deltaE_ciede2000(rgb2lab(picture), rgb2lab(truth)).mean())
                    row["hue"] = hue_turn(picture, truth)
                    told = {"strength": 0.0, "print": False}
                    if veil is not None:
                        told = {"strength": veil.strength, "print": veil.stain is not None}
                    rows.append(row | told)
    return pd.DataFrame(rows)


def table(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row per damage and figure: its mean before and after, and the paired difference with its interval."""
    lines = []
    for damage, some in rows.groupby("damage", sort=False):
        before, after = (some[some.state == state].set_index("name") for state in ("before", "after"))
        for figure in [name for name in rows.columns if name not in ("name", "damage", "state", "strength", "print")]:
            difference = (after[figure] - before[figure]).dropna()
            draw = Bootstrap(list(difference.index), _RESAMPLES, np.random.default_rng(seed))
            interval = draw.means(difference.to_numpy()[:, None])[0]
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
    after = rows[rows.state == "after"].groupby("damage", sort=False)
    print(after.agg(people=("name", "count"), strength=("strength", "mean"), as_print=("print", "sum")).to_string())
    print(table(rows, arguments.seed).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
