"""Compare two versions on people of both groups, whom neither has seen: does anybody lose?"""

from collections.abc import Iterator, Mapping
from itertools import islice

import torch

from flows.demo.results import Population, Ratio
from models.load import load_restorer
from monitoring.simulation.people import fresh_sitters
from pipeline.ablation.common import Portrait
from pipeline.ablation.populations import compare_methods, measure_population
from pipeline.config.load import Params
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.bootstrap import Interval
from pipeline.evaluation.scoring import Judges
from pipeline.project.paths import Paths
from pipeline.registry.weights import resolve_weights

_PEOPLE, _TURN = 30, 2000
"""People of each group, and how far beyond the seeds of the traffic theirs lie."""


def compare_versions(
    params: Params, paths: Paths, before: str, after: str, groups: Mapping[str, tuple[float, float]]
) -> Iterator[Population]:
    """Measure two versions of the registry on fresh people of each group, with the same damage.

    `groups`: range of the sampler's people (`data.sampler.population`) by the group's name.

    Raises:
        WeightsError: a version's weights are missing or changed.
        ServiceUnavailable: MLflow does not answer.
    """
    versions, model, edition = {"before": before, "after": after}, params.registry.model_name, params.identity.edition
    methods: dict[str, Method] = {
        name: load_restorer(resolve_weights(paths, model, edition, version)[0]).restore
        for name, version in versions.items()
    }
    judges, seed = Judges.load(torch.device("cpu"), params.identity), params.simulate.seed + _TURN
    for name, population in groups.items():
        people = _portraits(params, population, seed)
        rows = measure_population(methods, people, params.masks, judges, 1, seed)
        found = compare_methods(rows, "after", "before", params.evaluate.bootstrap, seed)
        yield Population(
            name=name, people=len(people), identity=_ratio(found["identity"]), lpips=_ratio(found["lpips"])
        )


def _portraits(params: Params, population: tuple[float, float], seed: int) -> list[Portrait]:
    drawn = params.model_copy(update={"simulate": params.simulate.model_copy(update={"seed": seed})})
    return [
        Portrait(one.portrait_id, one.portrait_id, one.image, one.landmarks, one.points)
        for one in islice(fresh_sitters(drawn, population), _PEOPLE)
    ]


def _ratio(found: Interval) -> Ratio:
    return Ratio(value=found.value, low=found.low, high=found.high)
