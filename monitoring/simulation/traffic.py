"""Simulated requests: portraits that training never saw, damaged, with a chosen shift, or a broken detector."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from models.face.detector import Face
from models.images import Image, Mask
from monitoring.simulation.people import Sitter, others, select_sitters, sitters
from pipeline.config.data import EVERYBODY
from pipeline.config.load import Params
from pipeline.config.masks import MaskParams
from pipeline.config.simulate import Shift, SimulateParams
from pipeline.damage.draw import apply
from pipeline.damage.sampler import DamageSampler
from pipeline.project.paths import Paths
from restoration.types import Detector


@dataclass(frozen=True)
class Request:
    """One damaged photo (H, W, 3) with its masks (H, W), and what a simulation also knows.

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


def draw_requests(params: Params, paths: Paths, mix: MaskParams) -> Iterator[Request]:
    """Draw requests as `params.simulate` says, the same for the same seed.

    Args:
        params: `simulate` gives requests, seed, people, share of `known_originals` and the shift of the photos.
        paths: of the checkout.
        mix: masks, drawn by their training weights; see `shifted_masks`.

    Raises:
        DataError: ingest has not run, or no portrait is held out.
    """
    traffic = params.simulate
    people = sitters(params, paths)
    if traffic.shift != "other-people" or others(params) == EVERYBODY:  # else they are others already
        people = select_sitters(people, traffic.shift, traffic.shifts.extreme_of)
    sampler = DamageSampler(mix, training=True)
    for number, sitter in enumerate(islice(people, traffic.requests)):
        yield _request(sitter, sampler, traffic, number, np.random.default_rng([traffic.seed, number]))


def shifted_masks(masks: MaskParams, traffic: SimulateParams) -> MaskParams:
    """Choose the masks of the traffic: even over kinds and buckets, or as `traffic.shift` says."""
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
    """Apply the shift to an intact photo (H, W, 3): `darker` is 255 * (v / 255) ** gamma."""
    if shift != "darker":
        return image
    curve = np.round(255.0 * (np.arange(256) / 255.0) ** gamma).astype(np.uint8)
    return np.asarray(curve[image])


def _request(
    sitter: Sitter, sampler: DamageSampler, traffic: SimulateParams, number: int, rng: np.random.Generator
) -> Request:
    damage, record = sampler.sample(rng, sitter.landmarks, sitter.image.shape[0])
    photo = shift_photo(sitter.image, traffic.shift, traffic.shifts.darker_gamma)
    return Request(
        number=number,
        image=apply(photo, damage),
        hole=damage.hole,
        chroma=damage.chroma,
        kind=record.kind,
        portrait_id=sitter.portrait_id,
        original=sitter.image,
        points=sitter.points,
        known=bool(rng.random() < traffic.known_originals),
    )


class BrokenDetector:
    """Misses a share of the faces and is less sure of the others.

    Args:
        detector: the intact one.
        misses: share of the faces that are not seen, drawn anew at every look.
        score_factor: what the scores of the others are multiplied by.
        rng: decides who is missed.
    """

    def __init__(self, detector: Detector, *, misses: float, score_factor: float, rng: np.random.Generator) -> None:
        self._detector, self._misses, self._score_factor, self._rng = detector, misses, score_factor, rng

    def detect(self, image: Image) -> list[Face]:
        """See `models.face.detector.FaceDetector.detect`."""
        faces = self._detector.detect(image)
        detected = self._rng.random(len(faces)) >= self._misses
        return [
            replace(face, score=face.score * self._score_factor)
            for face, kept in zip(faces, detected, strict=True)
            if kept
        ]
