"""Simulated requests: portraits that training never saw, damaged, with a chosen shift."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import DataError
from models.images import Image, Mask
from pipeline.config import MaskParams, SimulateParams
from pipeline.config.production import Shift
from pipeline.damage import DamageSampler, apply
from pipeline.layout import Paths
from pipeline.tables import landmarks_of, load_image, points_of, read_portraits

SPLITS = ("validation", "test")


@dataclass(frozen=True)
class Request:
    """One damaged photo (H, W, 3) with its masks (H, W), and what a simulation knows beside it.

    `original` (H, W, 3) is the intact portrait, `points` (5, 2) its detector points; `known` says whether this
    request's original comes to light later, as it does in production through feedback.
    """

    number: int
    image: Image
    hole: Mask
    chroma: Mask
    kind: str
    portrait_id: str
    original: Image
    points: npt.NDArray[np.float32]
    known: bool


def draw_requests(paths: Paths, mix: MaskParams, traffic: SimulateParams) -> Iterator[Request]:
    """Requests over the portraits of the validation and test splits, the same for the same seed.

    Every portrait comes once before any comes again, so that a small sample still has all identities in it.

    Args:
        paths: of the checkout.
        mix: masks, drawn by their training weights; see `shifted_masks`.
        traffic: `requests`, `seed`, share of `known_originals`; with the shift `darker` the photos are dark.

    Raises:
        DataError: ingest has not run, or no portrait is in the two splits.
    """
    rows = _held_out(read_portraits(paths))
    order = _order(len(rows), traffic.requests, np.random.default_rng(traffic.seed))
    sampler = DamageSampler(mix, training=True)
    for number, index in enumerate(order):
        rng = np.random.default_rng([traffic.seed, number])
        yield _request(paths, rows[index], sampler, traffic, number, rng)


def shifted_masks(masks: MaskParams, traffic: SimulateParams) -> MaskParams:
    """The masks of the traffic: even over kinds and buckets, or as `traffic.shift` says."""
    lower_edges = masks.buckets[:-1]
    buckets = tuple(1.0 for _ in lower_edges)
    kinds: dict[Any, float] = {}
    if traffic.shift == "larger-masks":
        buckets = tuple(float(edge >= traffic.shifts.larger_masks_from) for edge in lower_edges)
    if traffic.shift == "other-kinds":
        kinds = {kind: float(kind in traffic.shifts.other_kinds) for kind in masks.kinds}
    training = {"kind_weights": kinds, "bucket_weights": buckets}
    return MaskParams.model_validate({**masks.model_dump(), "training": training})


def shift_photo(image: Image, shift: Shift, gamma: float) -> Image:
    """The intact photo (H, W, 3) as the shift lets it arrive: `darker` is 255 * (v / 255) ** gamma."""
    if shift != "darker":
        return image
    curve = np.round(255.0 * (np.arange(256) / 255.0) ** gamma).astype(np.uint8)
    return np.asarray(curve[image])


def _held_out(portraits: pd.DataFrame) -> list[dict[str, Any]]:
    rows = portraits[portraits["split"].isin(SPLITS)].sort_values("portrait_id")
    if rows.empty:
        raise DataError(f"portraits in the splits {' and '.join(SPLITS)}", "none", "ingest more portraits")
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _order(portraits: int, count: int, rng: np.random.Generator) -> Sequence[int]:
    rounds = [rng.permutation(portraits) for _ in range(-(-count // portraits))]
    return [int(index) for index in np.concatenate(rounds)[:count]]


def _request(
    paths: Paths,
    row: dict[str, Any],
    sampler: DamageSampler,
    traffic: SimulateParams,
    number: int,
    rng: np.random.Generator,
) -> Request:
    original = load_image(paths, row["portrait_id"])
    damage, record = sampler.sample(rng, landmarks_of(row), original.shape[0])
    photo = shift_photo(original, traffic.shift, traffic.shifts.darker_gamma)
    return Request(
        number=number,
        image=apply(photo, damage),
        hole=damage.hole,
        chroma=damage.chroma,
        kind=record.kind,
        portrait_id=row["portrait_id"],
        original=original,
        points=points_of(row),
        known=bool(rng.random() < traffic.known_originals),
    )
