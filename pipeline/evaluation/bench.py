"""What an evaluation measures and by what: loaded once in every process that works on its shards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.face_model.shape_and_appearance import ShapedFaceModel
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case

CHALLENGER = "challenger"


@dataclass(frozen=True, eq=False)
class Bench:
    """Methods by name, one of them `challenger`; cases; judges; and the face models of the methods.

    Attributes:
        methods: what is measured.
        cases: the frozen set; pictures are held one batch at a time.
        portrait_ids: of the cases, known without reading their pictures.
        judges: encoders and LPIPS.
        face_models: each gathers evidence before a method's time is taken.
    """

    methods: Mapping[str, Method]
    cases: Sequence[Case]
    portrait_ids: Sequence[str]
    judges: Judges
    face_models: Sequence[ShapedFaceModel] = ()


Load = Callable[[], Bench]
"""Loads a bench. It is hashable, and pickled if an engine has other processes."""


@lru_cache(maxsize=1)
def loaded(load: Load) -> Bench:
    """Load a bench once for all shards of a run."""
    return load()
