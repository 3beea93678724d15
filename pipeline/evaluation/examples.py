"""Before and after, as pictures inside a page: the worst cases of the challenger first."""

import base64
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from models.images import Image, to_uint8
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.test_set import Case, damaged_batch

_ORDER = ("telea", "face-model", "champion", "challenger")
_QUALITY = 88


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI with what stands below it."""

    caption: str
    note: str
    uri: str


@dataclass(frozen=True)
class Strip:
    """One case: intact, damaged, and restored by each method."""

    title: str
    details: str
    pictures: tuple[Picture, ...]


def worst_strips(
    methods: Mapping[str, Method], cases: Sequence[Case], rows: pd.DataFrame, count: int, device: torch.device
) -> list[Strip]:
    """Draw the `count` cases with the challenger's largest identity distance by the independent encoder.

    Args:
        methods: by name; Navier-Stokes is left out, it looks like Telea.
        cases: the frozen set, in the order of `rows`.
        rows: one row per mask and method.
        count: how many.
        device: where the methods compute.
    """
    shown = {name: methods[name] for name in _ORDER if name in methods}
    challenger = rows[rows["method"] == "challenger"].reset_index(drop=True)
    worst = challenger["identity_distance_independent"].sort_values(ascending=False, kind="stable").index[:count]
    return [_strip(rank, cases[int(i)], shown, rows, device) for rank, i in enumerate(worst, start=1)]


def data_uri(image: Image) -> str:
    """Encode an RGB picture (H, W, 3) uint8 as a JPEG data URI."""
    ok, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert ok  # OpenCV encodes every uint8 picture
    return "data:image/jpeg;base64," + base64.b64encode(np.asarray(jpeg).tobytes()).decode("ascii")


def _strip(rank: int, case: Case, methods: Mapping[str, Method], rows: pd.DataFrame, device: torch.device) -> Strip:
    damaged = damaged_batch([case], device)
    pictures = [Picture("target", "intact", data_uri(case.target)), Picture("damaged", "", data_uri(case.damaged))]
    scores = {row["method"]: row for row in rows[rows["mask_id"] == case.mask_id].to_dict("records")}
    for name, method in methods.items():
        pictures.append(Picture(name, _note(scores[name]), data_uri(to_uint8(method(damaged))[0])))
    details = f"{case.coverage:.0%} of the face and {case.missing_features:.0%} of its features missing"
    return Strip(f"{rank}. {case.identity}: {case.kind}", details, tuple(pictures))


def _note(row: Mapping[Hashable, Any]) -> str:
    recognised = "recognised" if row["recognised_independent"] else "NOT recognised"
    return f"identity distance {row['identity_distance_independent']:.3f}, {recognised}"
