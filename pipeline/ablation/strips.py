"""Pictures of the pairs in which the pixel score and the identity of the person contradict each other."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch

from models.images import to_uint8
from pipeline.ablation.common import Embeddings, Portrait, measured
from pipeline.ablation.disagreement import IDENTITY
from pipeline.ablation.transition_study import hole_cases
from pipeline.config.ablation import AblateParams
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.examples import Picture, Strip, data_uri
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case, damaged_batch


def example_strips(
    examples: Sequence[str],
    portraits: Sequence[Portrait],
    intact: Embeddings,
    methods: Mapping[str, Method],
    judges: Judges,
    params: AblateParams,
) -> list[Strip]:
    """A strip for each example: intact, damaged, and every method with both scores.

    Args:
        examples: mask ids of the transition study.
        portraits: that the masks belong to.
        intact: embeddings of the portraits.
        methods: by name.
        judges: encoders and LPIPS.
        params: levels and seed that the masks were drawn with.
    """
    wanted = {name.partition("-")[0] for name in examples}
    drawn = {case.mask_id: case for p in portraits if p.portrait_id in wanted for case in hole_cases(p, params)}
    cases = [drawn[name] for name in examples]
    scores = measured(methods, cases, intact, judges, params.batch_size)
    return [_strip(case, scores[scores["mask_id"] == case.mask_id], methods, judges.device) for case in cases]


def _strip(case: Case, scores: pd.DataFrame, methods: Mapping[str, Method], device: torch.device) -> Strip:
    damaged = damaged_batch([case], device)
    pictures = [Picture("intact", "", data_uri(case.target)), Picture("damaged", "", data_uri(case.damaged))]
    for name, method in methods.items():
        row = scores[scores["method"] == name].iloc[0]
        note = f"pixel MSE {row['pixel_mse']:.4f}, similarity to the person {row[IDENTITY]:.3f}"
        pictures.append(Picture(name, note, data_uri(to_uint8(method(damaged))[0])))
    return Strip(case.identity, f"{case.coverage:.0%} of the face missing", tuple(pictures))
