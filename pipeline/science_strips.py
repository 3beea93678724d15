"""Pictures of the pairs in which the pixel score and the identity of the person contradict each other."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch

from models.images import to_uint8
from pipeline.cases import Case, damaged_batch
from pipeline.config import AblateParams
from pipeline.disagreement import IDENTITY
from pipeline.peers import Method
from pipeline.strips import Picture, Strip, data_uri
from pipeline.studies import Portrait
from pipeline.transition_study import hole_cases


def example_strips(
    examples: Sequence[str],
    rows: pd.DataFrame,
    portraits: Sequence[Portrait],
    methods: Mapping[str, Method],
    params: AblateParams,
    device: torch.device,
) -> list[Strip]:
    """A strip for each example: intact, damaged, and every method with both scores.

    Args:
        examples: mask ids.
        rows: of the measurement, which has both scores.
        portraits: that the masks belong to.
        methods: by name.
        params: levels and seed that the masks were drawn with.
        device: where the methods compute.
    """
    wanted = {name.partition("-")[0] for name in examples}
    cases = {case.mask_id: case for p in portraits if p.portrait_id in wanted for case in hole_cases(p, params)}
    return [_strip(cases[name], rows[rows["mask_id"] == name], methods, device) for name in examples]


def _strip(case: Case, scores: pd.DataFrame, methods: Mapping[str, Method], device: torch.device) -> Strip:
    damaged = damaged_batch([case], device)
    pictures = [Picture("intact", "", data_uri(case.target)), Picture("damaged", "", data_uri(case.damaged))]
    for name, method in methods.items():
        row = scores[scores["method"] == name].iloc[0]
        note = f"pixel MSE {row['pixel_mse']:.4f}, similarity to the person {row[IDENTITY]:.3f}"
        pictures.append(Picture(name, note, data_uri(to_uint8(method(damaged))[0])))
    return Strip(case.identity, f"{case.coverage:.0%} of the face missing", tuple(pictures))
