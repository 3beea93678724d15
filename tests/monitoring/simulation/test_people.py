"""Who sits for simulated traffic: held-out people, or fresh ones, and what a shift makes of either."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from monitoring.simulation.people import Sitter, fresh_sitters, others, select_sitters, sitters
from pipeline.config.data import EVERYBODY
from pipeline.config.load import Params
from pipeline.face_sampler.generate import portraits
from pipeline.project.paths import Paths


def sitter(number: int, yaw: float, axis: float) -> Sitter:
    empty = np.zeros((0, 2), np.float32)
    return Sitter(str(number), np.zeros((4, 4, 3), np.uint8), empty, empty, yaw, axis)


def crowd() -> Iterator[Sitter]:
    angles, axis = [1.0, -20.0, 3.0, 4.0, 0.0, 1.0, 2.0, 9.0], [30.0, 40.0, -5.0, 10.0, 3.0, 2.0, 1.0, 50.0]
    return (sitter(number, *facts) for number, facts in enumerate(zip(angles, axis, strict=True)))


def test_of_every_four_the_most_extreme_by_hand() -> None:
    assert [one.portrait_id for one in select_sitters(crowd(), "more-profile", 4)] == ["1", "7"]
    assert [one.portrait_id for one in select_sitters(crowd(), "other-people", 4)] == ["2", "6"]
    assert [one.portrait_id for one in select_sitters(crowd(), "darker", 4)] == [str(number) for number in range(8)]


def seeded(params: Params, seed: int, *, fresh_people: bool = True) -> Params:
    simulate = params.simulate.model_copy(update={"seed": seed, "fresh_people": fresh_people})
    return params.model_copy(update={"simulate": simulate})


def test_fresh_people_are_many_and_the_same_for_a_seed(params: Params) -> None:
    first, again, other = (list(islice(fresh_sitters(seeded(params, seed)), 5)) for seed in (3, 3, 4))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert len({one.image.tobytes() for one in (*first, *other)}) == 10
    size = params.ingest.image_size
    assert all(one.image.shape == (size, size, 3) for one in first)


def test_no_fresh_person_is_in_the_training_data(params: Params) -> None:
    """Also where both seeds are the same."""
    seed = params.data.sampler.seed
    known = {one.image.tobytes() for one in portraits(params.data.sampler.model_copy(update={"identities": 10}))}
    named = {one.portrait_id for one in islice(fresh_sitters(seeded(params, seed)), 10)}
    assert known
    assert not any(name.startswith(f"sampler-{seed}-") for name in named)


def test_other_people_are_from_one_end_of_the_sampler(params: Params) -> None:
    one_end = [one.axis for one in islice(select_sitters(fresh_sitters(seeded(params, 3)), "other-people", 4), 8)]
    everybody = [one.axis for one in islice(fresh_sitters(seeded(params, 3)), 32)]
    assert one_end == [min(everybody[n : n + 4]) for n in range(0, 32, 4)]
    assert np.mean(one_end) < np.mean(everybody) - 0.5


@pytest.mark.parametrize(
    ("population", "expected"),
    [((-10.0, 0.4), (0.4, 10.0)), ((-0.2, 10.0), (-10.0, -0.2)), (EVERYBODY, EVERYBODY)],
)
def test_others_are_those_outside_the_population(
    params: Params, population: tuple[float, float], expected: tuple[float, float]
) -> None:
    assert others(within(params, population)) == expected


def test_where_the_data_leaves_people_out_fresh_ones_are_like_the_data_and_other_ones_are_not(params: Params) -> None:
    adults = within(params, (-10.0, 0.4))
    usual = [one.axis for one in islice(sitters(seeded(adults, 3), Paths(Path())), 6)]
    assert max(usual) <= 0.4
    shifted = adults.model_copy(update={"simulate": adults.simulate.model_copy(update={"shift": "other-people"})})
    assert min(one.axis for one in islice(sitters(seeded(shifted, 3), Paths(Path())), 6)) >= 0.4


def within(params: Params, population: tuple[float, float]) -> Params:
    sampler = params.data.sampler.model_copy(update={"population": population})
    return params.model_copy(update={"data": params.data.model_copy(update={"sampler": sampler})})


def test_other_sources_have_held_out_people_only(params: Params, staffed: Paths) -> None:
    folder = params.model_copy(update={"data": params.data.model_copy(update={"source": "folder", "location": "x"})})
    for asked in (seeded(folder, 1), seeded(params, 1, fresh_people=False)):
        drawn = [one.portrait_id for one in islice(sitters(asked, staffed), 12)]
        assert sorted(drawn[:6]) == sorted(drawn[6:]) == sorted(set(drawn))
