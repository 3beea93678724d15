"""Find pairs in which the pixel score and the identity of the person disagree, on one and the same damage."""

import numpy as np
import pandas as pd

from pipeline.ablation.common import SIMILARITY
from pipeline.ablation.results import DisagreementReport

IDENTITY = SIMILARITY + "independent"


def pairs_of(rows: pd.DataFrame, ours: str, theirs: str) -> pd.DataFrame:
    """Compare on each damage: `error_gain` and `identity_gain` of method `ours` over `theirs`, both better when larger.

    `error_gain` is how much smaller the pixel MSE is, relative to the larger of both; `identity_gain` how much larger
    the similarity to the person. `disagree` where one is above 0 and the other below.
    """
    table = rows.pivot_table(index="mask_id", columns="method", values=["pixel_mse", IDENTITY])
    error, alike = table["pixel_mse"], table[IDENTITY]
    gains = pd.DataFrame(
        {
            "error_gain": (error[theirs] - error[ours]) / np.maximum(error[theirs], error[ours]),
            "identity_gain": alike[ours] - alike[theirs],
        }
    )
    return gains.assign(disagree=gains["error_gain"] * gains["identity_gain"] < 0)


def disagreement(rows: pd.DataFrame, ours: str, theirs: str, examples: int) -> DisagreementReport:
    """Measure how often, and how strongly, pixel error and identity contradict each other.

    Args:
        rows: of `common.measured`, with both methods on the same damage.
        ours: a method.
        theirs: another one.
        examples: how many of the strongest contradictions to name: largest product of both gains.
    """
    gains = pairs_of(rows, ours, theirs)
    strength = (gains["error_gain"] * gains["identity_gain"])[gains["disagree"]].sort_values(kind="stable")
    distance = 1 - rows[IDENTITY]
    return DisagreementReport(
        pairs=len(gains),
        disagree=float(gains["disagree"].mean()),
        rank_correlation=float(rows["pixel_mse"].corr(distance, method="spearman")),
        lpips_correlation=float(rows["lpips"].corr(distance, method="spearman")),
        examples=tuple(strength.index[:examples]),
    )
