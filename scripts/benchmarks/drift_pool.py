"""Requests for `measure_drift`: served once by the real production path, then drawn from over and over."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from torch import Tensor

from models.assets import ASSETS
from models.errors import DataError
from models.face_networks.insightface_pack import short_name
from monitoring.champion import Champion
from monitoring.drift.identity_space import project
from monitoring.log.rows import frame
from monitoring.simulation.simulate import serve
from monitoring.simulation.traffic import shifted_masks
from pipeline.config.load import Params
from pipeline.config.simulate import Shift
from pipeline.project.paths import Paths

SHIFTS: tuple[Shift, ...] = tuple(shift for shift in get_args(Shift) if shift != "none")
PART = 100
"""Requests of one part; each has a seed and people of its own, so that a stopped run goes on where it was."""
_EPOCH = datetime.fromtimestamp(0, UTC)


def parts(quiet: int, shifted: int, seed: int) -> list[tuple[Shift, int]]:
    """(shift, seed) of every part, quiet ones and all shifts in turn, so that a stopped run has some of each."""
    calm: list[tuple[Shift, int]] = [("none", seed + 100 + n) for n in range(quiet // PART)]
    turns = [[(shift, seed + 200 + 20 * k + n) for k, shift in enumerate(SHIFTS)] for n in range(shifted // PART)]
    each = -(-len(calm) // max(1, len(turns)))
    mixed = [part for n, turn in enumerate(turns) for part in (*calm[n * each : (n + 1) * each], *turn)]
    return mixed if turns else calm


def fill(params: Params, paths: Paths, folder: Path, wanted: list[tuple[Shift, int]]) -> None:
    """Serve the parts that are not in `folder` yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for shift, seed in wanted:
        path = folder / f"{shift}-{seed}.parquet"
        if not path.is_file():
            table = pd.concat(_served(params, paths, shift, seed), ignore_index=True)
            table.to_parquet(path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)
            print(path.name, flush=True)


def read(folder: Path, shift: Shift) -> pd.DataFrame:
    """All rows of one shift, in order of their seeds; columns of `LogRow` and e0, e1, ... of the identity space."""
    files = sorted(folder.glob(f"{shift}-*.parquet"))
    if not files:
        raise DataError(f"requests with the shift {shift} in {folder}", "none", "let the recipe serve some first")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def _served(params: Params, paths: Paths, shift: Shift, seed: int) -> Iterator[pd.DataFrame]:
    """One request at a time, its row beside the projected embedding: the sampler's faces are nobody's."""
    traffic = params.simulate.model_copy(
        update={
            "shift": shift,
            "seed": seed,
            "requests": PART,
            "fresh_people": True,
            "known_originals": 0.0,
            "workers": 1,
        }
    )
    champion = Champion("shipped", ASSETS / "restorer.safetensors", None)
    seen: list[Tensor] = []
    encoder = short_name(params.identity.training)
    mix = shifted_masks(params.masks, traffic)
    batches = serve(
        params, paths, champion, traffic, mix, clock=lambda: _EPOCH, run=f"{shift}-{seed}",
        observe=lambda name, embedding: seen.append(embedding) if name == encoder else None, at_once=1,
    )  # fmt: skip
    for batch in batches:
        point = project(seen[0].numpy(), params.watch.identity)[0] if seen else np.full(_dimensions(params), np.nan)
        seen.clear()
        yield frame(batch).assign(**{f"e{n}": value for n, value in enumerate(point)})


def _dimensions(params: Params) -> int:
    return params.watch.identity.dimensions
