"""Choose whose portraits simulated traffic uses: held-out splits, or people whom no model has seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import DataError
from models.images import Image
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.config.load import Params
from pipeline.config.simulate import Shift
from pipeline.portraits.read import landmarks_of, load_image, points_of, read_portraits
from pipeline.project.paths import Paths
from pipeline.sources.face_sampler import check_terms

SPLITS = ("validation", "test")
_FRESH = 2**30  # seeds of the sampler from here on are the traffic's; the lower ones are for data.sampler.seed

Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sitter:
    """An intact portrait (S, S, 3) with its detector points (5, 2) and landmarks (68, 2), in its pixels.

    `yaw` in degrees. `axis`: where the person stands in the population, in any unit: the sampler's first component, of
    other portraits the skin tone (individual typology angle, degrees).
    """

    portrait_id: str
    image: Image
    points: Points
    landmarks: Points
    yaw: float
    axis: float


def sitters(params: Params, paths: Paths) -> Iterator[Sitter]:
    """Yield people without end, the same for the same seed: fresh ones if `simulate.fresh_people`, else held out.

    Fresh people come from the built-in sampler, so only where `data.source` is the sampler too; each comes once.

    Raises:
        ConfigError: fresh people, in the edition `open`.
        DataError: ingest has not run, or no portrait is held out.
    """
    if params.simulate.fresh_people and params.data.source == "sampler":
        return fresh_sitters(params, others(params) if params.simulate.shift == "other-people" else None)
    return held_out_sitters(paths, params.simulate.seed)


def others(params: Params) -> tuple[float, float]:
    """Give the range of the sampler's people outside `data.sampler.population`, or everybody where it leaves out none.

    Of people below and above it those of whom there are more.
    """
    (lowest, highest), (least, most) = params.data.sampler.population, EVERYBODY
    if (lowest, highest) == EVERYBODY:
        return EVERYBODY
    return (highest, most) if -lowest > highest else (least, lowest)


def select_sitters(people: Iterator[Sitter], shift: Shift, of: int) -> Iterator[Sitter]:
    """Select by the shift: the most turned head of every `of`, or the one lowest on the identity axis."""
    if shift not in ("more-profile", "other-people"):
        yield from people
        return
    while group := list(islice(people, of)):
        yield max(group, key=lambda sitter: abs(sitter.yaw) if shift == "more-profile" else -sitter.axis)


def held_out_sitters(paths: Paths, seed: int) -> Iterator[Sitter]:
    """Yield portraits of the validation and test splits; every one comes once before any comes again."""
    portraits = read_portraits(paths)
    rows = portraits[portraits["split"].isin(SPLITS)].sort_values("portrait_id")
    if rows.empty:
        raise DataError(f"portraits in the splits {' and '.join(SPLITS)}", "none", "ingest more portraits")
    return _rounds(paths, rows, np.random.default_rng(seed))


def _rounds(paths: Paths, rows: pd.DataFrame, rng: np.random.Generator) -> Iterator[Sitter]:
    records = rows.to_dict("records")
    while True:
        for index in rng.permutation(len(records)):
            yield _stored(paths, {str(key): value for key, value in records[index].items()})


def _stored(paths: Paths, row: dict[str, Any]) -> Sitter:
    from pipeline.portraits.photometry import skin_region, typology_angle

    image, landmarks = load_image(paths, row["portrait_id"]), landmarks_of(row)
    tone = typology_angle(image, skin_region(landmarks, image.shape[:2]))
    return _sitter(row["portrait_id"], image, points_of(row), landmarks, tone)


def fresh_sitters(params: Params, population: tuple[float, float] | None = None) -> Iterator[Sitter]:
    """Yield one view each of people of the sampler, read and aligned as ingest does, skipping those without a face.

    `population`: by default that of `data.sampler`.
    """
    from pipeline.face_sampler.generate import portraits
    from pipeline.portraits.align import Aligner

    check_terms(params.identity.edition)
    aligner = Aligner(params.identity, params.ingest.min_detector_score, params.ingest.image_size)
    endless = SamplerParams(
        identities=2**31 - 1,
        views=1,
        seed=_FRESH + params.simulate.seed % _FRESH,
        population=population or params.data.sampler.population,
    )
    for portrait in portraits(endless):
        aligned = aligner.best_face(portrait.image, portrait.landmarks)
        if aligned is not None:
            yield _sitter(portrait.name, aligned.image, aligned.points, aligned.landmarks, portrait.component)


def _sitter(name: str, image: Image, points: Points, landmarks: Points, axis: float) -> Sitter:
    from models.face.landmarks import head_pose

    return Sitter(name, image, points, landmarks, head_pose(landmarks, image.shape[0])[0], axis)
