"""What raters marked as invented: how much, where, and whether they agree."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.images import Mask
from monitoring.user_study.heat_map import REGIONS, SIDE, Floats, heat_map, marked_area, region_masks, region_shares
from monitoring.user_study.intervals import Clusters, Estimate, estimate_mean, estimate_share, krippendorff_alpha
from monitoring.user_study.raters import TrialAnswer
from monitoring.user_study.schema import INTACT, Frozen, Person, Study

_TOUCHED = 0.1
"""Share of a region that has to be marked for the region to count as marked, when agreement is reckoned."""


class Region(Frozen):
    """One region of the face: its share of the marked area and of the missing area, and their ratio.

    A ratio above 1: more is marked here than its part in the damage would explain. None where nothing is missing.
    """

    region: str
    marked: float
    expected: float
    ratio: float | None


class Invented(Frozen):
    """One method: share of looks that ended in a mark, mean number of marks, mean marked share of the picture."""

    method: str
    looks: int
    any_mark: Estimate
    marks: Estimate
    area: Estimate
    regions: tuple[Region, ...]


def summarise_marks(study: Study, looks: Sequence[TrialAnswer]) -> tuple[tuple[Invented, ...], float | None]:
    """Compute figures by method in the design's order, `intact` last; and raters' agreement on (picture, region)."""
    people = [trial.person for trial, _ in looks]
    masks = {person: _regions(study.people[person]) for person in set(people)}
    methods = dict.fromkeys([*study.methods, INTACT])
    chosen = {method: np.array([trial.left == method for trial, _ in looks], np.bool_) for method in methods}
    figures = tuple(
        _of_method(method, [looks[int(i)] for i in np.flatnonzero(where)], study, masks)
        for method, where in chosen.items()
    )
    return figures, _agreement(looks, masks)


def draw_heat_maps(study: Study, looks: Sequence[TrialAnswer]) -> dict[str, Floats]:
    """Draw the heat map of every method."""
    return {
        method: heat_map([answer.marks for trial, answer in looks if trial.left == method], study.params.bandwidth)
        for method in dict.fromkeys([*study.methods, INTACT])
    }


def _of_method(method: str, looks: Sequence[TrialAnswer], study: Study, masks: dict[int, dict[str, Mask]]) -> Invented:
    areas = [marked_area(answer.marks) for _, answer in looks]
    people = [trial.person for trial, _ in looks]
    clusters = Clusters.of([answer.rater for _, answer in looks], people)
    columns = {
        "marks": [len(answer.marks) for _, answer in looks],
        "area": [area.mean() for area in areas],
    }
    figures = {name: estimate_mean(np.array(values, np.float64), clusters) for name, values in columns.items()}
    ended = np.array([bool(answer.marks) for _, answer in looks], np.bool_)
    return Invented(
        method=method,
        looks=len(looks),
        any_mark=estimate_share(ended, clusters),
        regions=_region_rows(areas, people, method, study, masks),
        **figures,
    )


def _region_rows(
    areas: Sequence[Mask], people: Sequence[int], method: str, study: Study, masks: dict[int, dict[str, Mask]]
) -> tuple[Region, ...]:
    """Compute shares by region, of the marked and of the missing area, each summed over the looks."""
    shares = [region_shares(area, masks[person]) for area, person in zip(areas, people, strict=True)]
    damage = [study.people[person].missing for person in people]
    marked, expected = _normalised(shares), _normalised([] if method == INTACT else damage)
    return tuple(
        Region(
            region=name,
            marked=marked[name],
            expected=expected[name],
            ratio=marked[name] / expected[name] if expected[name] > 0 else None,
        )
        for name in REGIONS
    )


def _normalised(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Divide sums by region by their total; zeros if there is nothing."""
    sums = {name: sum(part[name] for part in parts) for name in REGIONS}
    total = sum(sums.values())
    return {name: value / total if total else 0.0 for name, value in sums.items()}


def _agreement(looks: Sequence[TrialAnswer], masks: dict[int, dict[str, Mask]]) -> float | None:
    """Compute alpha over units of one picture and one region, values being whether it was marked."""
    units: dict[tuple[int, str, str], list[bool]] = {}
    for trial, answer in looks:
        area = marked_area(answer.marks)
        for name, region in masks[trial.person].items():
            touched = np.count_nonzero(area & region) > _TOUCHED * np.count_nonzero(region)
            units.setdefault((trial.person, trial.left, name), []).append(bool(touched))
    return krippendorff_alpha(units.values())


def _regions(person: Person) -> dict[str, Mask]:
    landmarks = np.array(person.landmarks, np.float32).reshape(68, 2) * SIDE - 0.5
    return region_masks(landmarks)
