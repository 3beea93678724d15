"""Compare models on people of one population: the same people, the same damage, paired."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from models.classical_fill import FillMethod
from pipeline.ablation.common import SIMILARITY, Portrait, case_of, embed_intact, measure_cases, portrait_rng
from pipeline.config.masks import MaskParams
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.baselines import Method, classical
from pipeline.evaluation.bootstrap import Bootstrap, Interval
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case

TELEA: FillMethod = "telea"
_BATCH = 16


def measure_population(
    methods: Mapping[str, Method],
    portraits: Sequence[Portrait],
    masks: MaskParams,
    judges: Judges,
    damages: int,
    seed: int,
) -> pd.DataFrame:
    """Measure methods and Telea on the same damage of everybody, a row each; columns as in `measure_cases`.

    Args:
        methods: by name.
        portraits: one for each person.
        masks: what damage is drawn from, as for evaluation.
        judges: encoders and LPIPS.
        damages: of each portrait.
        seed: of the damage.
    """
    cases = [case for portrait in portraits for case in _damaged(portrait, masks, damages, seed)]
    telea: dict[str, Method] = {TELEA: partial(classical, method=TELEA)}
    return measure_cases({**telea, **methods}, cases, embed_intact(portraits, judges, _BATCH), judges, _BATCH)


def compare_methods(rows: pd.DataFrame, name: str, other: str, resamples: int, seed: int) -> dict[str, Interval]:
    """Divide mean identity distance (independent encoder) and mean LPIPS of a method by another's, over people.

    Args:
        rows: of `measure_population`.
        name: of the method.
        other: of the one that it is compared with.
        resamples: of the people, for the intervals.
        seed: of the resamples.
    """
    distance = rows.assign(distance=1 - rows[f"{SIMILARITY}independent"])
    wide = distance.pivot_table(index=["mask_id", "identity"], columns="method", values=["distance", "lpips"])
    people = wide.index.get_level_values("identity").tolist()
    bootstrap = Bootstrap(people, resamples, np.random.default_rng(seed))
    return {
        figure: bootstrap.ratios(wide[column][[name]].to_numpy(), wide[column][[other]].to_numpy())[0]
        for figure, column in (("identity", "distance"), ("lpips", "lpips"))
    }


def _damaged(portrait: Portrait, masks: MaskParams, count: int, seed: int) -> list[Case]:
    """Damage a portrait several times, kinds and coverage in turn."""
    sampler, rng = DamageSampler(masks, training=False), portrait_rng(portrait, seed)
    drawn = [sampler.sample(rng, portrait.landmarks, portrait.image.shape[0]) for _ in range(count)]
    return [
        case_of(portrait, damage.hole, damage.chroma, record.kind, f"{number}")
        for number, (damage, record) in enumerate(drawn)
    ]
