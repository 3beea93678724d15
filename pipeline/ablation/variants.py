"""Variants of the network, each without one design choice, trained as the stage trains."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.ablation.common import SIMILARITY, means
from pipeline.ablation.results import VariantFigures
from pipeline.config.ablation import AblateParams
from pipeline.config.training import TrainParams
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.results import Figure

COMPLETE = "complete"
"""The complete design, with a reference photo where there is one."""
NO_PHOTO = "complete, no photo given"
"""The same networks, asked without one."""
METRICS = ("lpips", "identity_distance_independent", "identity_distance_training", "psnr")
RATIOS = METRICS[:3]
"""Metrics that are compared as ratios: better when smaller."""


def variant_params(train: TrainParams, params: AblateParams, name: str, seed: int) -> TrainParams:
    """Build the section `train` of one small network.

    Args:
        train: as params.yaml has it; what is not named here stays.
        params: size, steps and batch of the small networks.
        name: `complete`, or what is left out.
        seed: of weights, samples and damage; all designs but `reference` then learn from the same damage (altering a
            portrait to be its own reference takes random numbers as well).
    """
    small = params.variants
    losses = {
        "perceptual": replace(train.losses, lpips=0.0),
        "identity": replace(train.losses, identity=0.0),
    }
    evidence = train.evidence.model_copy(
        update={"reference": 0.0, "self_reference": 0.0} if name == "reference" else {}
    )
    generator = replace(train.generator, width=small.width, depth=small.depth, conditioned=name != "conditioning")
    return train.model_copy(
        update={
            "kind": "gan",
            "warm_start": "none",
            "epochs": 1,
            "steps_per_epoch": small.steps,
            "batch_size": small.batch_size,
            "seed": seed,
            "learning_rate": small.learning_rate,
            "schedule": "constant",
            "ema_decay": small.ema_decay,
            "losses": losses.get(name, train.losses),
            "evidence": evidence,
            "generator": generator,
            "workers": 0,
        }
    )


def variant_figures(
    rows: pd.DataFrame, seconds: Mapping[str, float], params: AblateParams
) -> dict[str, VariantFigures]:
    """Compute figures by variant.

    Args:
        rows: of `common.measured` for every variant and seed, with columns `variant` and `seed`.
        seconds: training time by variant.
        params: of the bootstrap.
    """
    named = rows.assign(
        **{f"identity_distance_{role}": 1 - rows[SIMILARITY + role] for role in ("training", "independent")}
    )
    complete = named[named["variant"] == COMPLETE]
    return {
        str(name): VariantFigures(
            figures=means(part.assign(method="v"), METRICS, params.bootstrap, params.seed)["v"],
            ratios=ratios_of(part, complete, params),
            seeds={metric: _by_seed(part, complete, metric) for metric in RATIOS},
            seconds=round(seconds.get(str(name), 0.0), 1),
        )
        for name, part in named.groupby("variant", sort=False)
    }


def ratios_of(part: pd.DataFrame, complete: pd.DataFrame, params: AblateParams) -> dict[str, Figure]:
    """Divide a variant's mean by the complete design's, on the same damage and seeds; intervals over people."""
    ours, theirs = (each.sort_values(["seed", "mask_id"]) for each in (part, complete))
    bootstrap = Bootstrap(list(ours["identity"]), params.bootstrap, np.random.default_rng(params.seed))
    values = [each[list(RATIOS)].to_numpy(np.float64) for each in (ours, theirs)]
    return {metric: Figure.of(one) for metric, one in zip(RATIOS, bootstrap.ratios(*values), strict=True)}


def _by_seed(part: pd.DataFrame, complete: pd.DataFrame, metric: str) -> list[float]:
    ours, theirs = (each.groupby("seed")[metric].mean() for each in (part, complete))
    found: Sequence[float] = (ours / theirs).sort_index().tolist()
    return list(found)
