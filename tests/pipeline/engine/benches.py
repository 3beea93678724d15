"""A bench that other processes can load: a classical method on sampled portraits, judged by the real encoders."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.config.load import load_params
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.baselines import classical
from pipeline.evaluation.bench import Bench
from pipeline.evaluation.scoring import Judges
from pipeline.face_sampler.generate import portraits
from tests.conftest import ROOT
from tests.portrait_site import damaged_case


@dataclass(frozen=True)
class TeleaOnSampled:
    """Damaged portraits of so many people, the first one twice."""

    people: int

    def __call__(self) -> Bench:
        params = load_params(ROOT / "params.yaml")
        sampler, rng = DamageSampler(params.masks, training=False), np.random.default_rng(5)
        people = portraits(SamplerParams(identities=self.people, views=1, seed=3, population=EVERYBODY))
        cases = [damaged_case(portrait, sampler, rng) for portrait in people]
        cases.append(replace(cases[0], mask_id="again"))
        judges = Judges.load(torch.device("cpu"), params.identity)
        methods = {"challenger": partial(classical, method="telea")}
        return Bench(methods, cases, [case.portrait_id for case in cases], judges)
