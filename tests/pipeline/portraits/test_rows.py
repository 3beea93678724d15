"""Splits by identity: the shares, the seed, and that nobody ever moves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.data import SplitParams
from pipeline.portraits.rows import split_of

SHARES = SplitParams(train=0.6, validation=0.15, test=0.25, seed=5)
PEOPLE = [f"person-{number}" for number in range(4000)]


def share(names: list[str], split: str) -> float:
    return float(np.mean([name == split for name in names]))


def test_shares_are_met_within_four_standard_deviations() -> None:
    splits = [split_of(person, None, SHARES) for person in PEOPLE]
    for split, wanted in {"train": 0.6, "validation": 0.15, "test": 0.25}.items():
        deviation = np.sqrt(wanted * (1 - wanted) / len(PEOPLE))
        assert share([str(s) for s in splits], split) == pytest.approx(wanted, abs=4 * deviation)


def test_the_assignment_is_known_for_good() -> None:
    # by hand: printf '5:gus' | sha256sum, its first 12 digits over 16^12 = 0.963; cy 0.714, ann 0.207, hal 0.729
    people = ("ann", "cy", "gus", "hal")
    assert [split_of(person, None, SHARES) for person in people] == ["train", "validation", "test", "validation"]


def test_another_seed_is_another_assignment() -> None:
    other = SHARES.model_copy(update={"seed": 6})
    moved = [split_of(p, None, SHARES) != split_of(p, None, other) for p in PEOPLE]
    # independent draws agree with probability 0.6^2 + 0.15^2 + 0.25^2 = 0.445
    assert np.mean(moved) == pytest.approx(1 - 0.445, abs=0.04)


def test_a_published_split_is_kept() -> None:
    for split in ("train", "validation", "test"):
        assert {split_of(person, split, SHARES) for person in PEOPLE[:50]} == {split}


def test_development_is_shared_out_in_proportion_and_never_tested_on() -> None:
    splits = [str(split_of(person, "development", SHARES)) for person in PEOPLE]
    assert "test" not in splits
    assert share(splits, "validation") == pytest.approx(0.15 / 0.75, abs=0.03)


@given(
    st.text(st.characters(codec="ascii")),
    st.sampled_from([SHARES, SplitParams(train=0.0, validation=0.0, test=1.0, seed=0)]),
)
def test_any_identity_has_one_split(identity: str, params: SplitParams) -> None:
    first = split_of(identity, None, params)
    assert first == split_of(identity, None, params)
    assert getattr(params, first) > 0
