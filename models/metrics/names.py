"""Names of what an evaluation measures, and of the buckets that it is measured in."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

Metric = Literal[
    "lpips",
    "ms_ssim",
    "psnr",
    "pixel_mse",
    "identity_similarity_training",
    "identity_similarity_independent",
    "identity_distance_training",
    "identity_distance_independent",
    "recognised_training",
    "recognised_independent",
    "known_pixels_changed",
    "id_fid",
]
WORST = "known_pixels_changed"
"""The column of which the largest value counts: one changed pixel is one too many."""
ID_FID = "id_fid"
"""Of all restorations together, not of one."""
MEANS: tuple[str, ...] = tuple(name for name in get_args(Metric) if name not in (WORST, ID_FID))
"""Columns that are averaged, and of which the challenger's ratio to other methods is known."""
ALL, WORST_SLICE = "all", "worst slice"
"""What a criterion of the gate may name instead of a coverage bucket."""


def bucket_names(edges: Sequence[float]) -> list[str]:
    """Name the buckets between edges: (0.0, 0.15, 1.0) -> ["0.0-0.15", "0.15-1.0"]."""
    return [f"{float(low)}-{float(high)}" for low, high in pairwise(edges)]
