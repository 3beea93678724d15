"""The mix of kinds and buckets, the records, and uniform coverage."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.errors import DataError
from pipeline.config.load import load_params
from pipeline.config.masks import MaskParams
from pipeline.damage.draw import COLOUR_KINDS
from pipeline.damage.measure import measure
from pipeline.damage.sampler import DamageSampler, MaskRecord, bucket_name, redraw
from tests.conftest import ROOT
from tests.faces import mean_landmarks

SIZE = 96
LANDMARKS = mean_landmarks(SIZE)


def _params(**changes: Any) -> MaskParams:
    overrides = {f"masks.{key.replace('__', '.')}": value for key, value in changes.items()}
    return load_params(ROOT / "params.yaml", overrides).masks


DEFAULT = _params()


def _records(params: MaskParams, training: bool, count: int, seed: int = 0) -> list[MaskRecord]:
    sampler, rng = DamageSampler(params, training), np.random.default_rng(seed)
    return [sampler.sample(rng, LANDMARKS, SIZE)[1] for _ in range(count)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), training=st.booleans())
def test_coverage_lies_in_its_bucket_and_the_record_redraws_the_damage(seed: int, training: bool) -> None:
    damage, record = DamageSampler(DEFAULT, training).sample(np.random.default_rng(seed), LANDMARKS, SIZE)
    low, high = map(float, record.bucket.split("-"))
    assert low <= record.coverage < high
    assert {**asdict(record), **asdict(measure(damage, LANDMARKS))} == asdict(record)
    again = redraw(record, LANDMARKS, SIZE)
    assert np.array_equal(again.hole, damage.hole)
    assert np.array_equal(again.chroma, damage.chroma)
    assert again.kind == damage.kind == record.kind
    assert record.chroma_area >= record.area


def test_coverage_is_uniform_within_each_bucket() -> None:
    kinds = {"brush": 1.0, "box": 1.0, "stain": 1.0, **dict.fromkeys(COLOUR_KINDS, 0.0)}
    records = _records(_params(kinds=kinds), True, 900)
    for low in (0.0, 0.1, 0.2, 0.3, 0.4):
        inside = [r.coverage for r in records if low <= r.coverage < low + 0.1]
        assert len(inside) > 130
        assert stats.kstest(inside, stats.uniform(low, 0.1).cdf).pvalue > 0.01


@pytest.mark.parametrize("count", [7, 23, 50, 68, 120])
@pytest.mark.parametrize("buckets", [(0.0, 0.1, 0.2, 0.3, 0.4, 0.5), (0.0, 0.2, 0.3, 0.4, 0.5), (0.1, 0.2, 0.5)])
def test_evaluation_is_balanced_after_any_number(count: int, buckets: tuple[float, ...]) -> None:
    params = _params(buckets=list(buckets), training__bucket_weights=[1.0] * (len(buckets) - 1))
    cells = list(islice(DamageSampler(params, training=False).cells(), count))
    columns: tuple[Sequence[object], ...] = ([kind for kind, _ in cells], [bucket for _, bucket in cells], cells)
    for column, different in zip(columns, (10, len(buckets) - 1, 10 * (len(buckets) - 1)), strict=True):
        counts = [*Counter(column).values()]
        counts += [0] * (different - len(counts))
        assert max(counts) - min(counts) <= 1


def test_evaluation_seed_changes_the_order() -> None:
    orders = [list(islice(DamageSampler(_params(evaluation__seed=seed), False).cells(), 50)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_evaluation_leaves_out_a_kind_that_is_switched_off() -> None:
    records = _records(_params(kinds={"box": 1.0, "stain": 0.2, "tear": 0.0}), False, 20)
    assert Counter(r.kind for r in records) == {"box": 10, "stain": 10}


def test_training_follows_the_weights() -> None:
    kinds = {"box": 1.0, "corner": 1.0, "stain": 1.0}
    weights = {"training__kind_weights": {"corner": 2.0, "stain": 0.0}}
    params = _params(kinds=kinds, training__bucket_weights=[0.0, 0.0, 0.0, 1.0, 3.0], **weights)
    records = _records(params, True, 400)
    share = Counter(r.kind for r in records)
    assert set(share) == {"box", "corner"}
    assert share["corner"] / 400 == pytest.approx(2 / 3, abs=0.07)  # 3 standard deviations
    buckets = Counter(r.bucket for r in records)
    assert set(buckets) == {"0.3-0.4", "0.4-0.5"}
    assert buckets["0.4-0.5"] / 400 == pytest.approx(3 / 4, abs=0.065)


def test_half_of_the_colour_damage_in_the_lowest_bucket_has_no_hole() -> None:
    params = _params(kinds={"fade": 1.0, "greyscale": 1.0}, training__bucket_weights=[1.0, 0.0, 0.0, 0.0, 0.0])
    empty = [r.area == 0 for r in _records(params, True, 200)]
    assert np.mean(empty) == pytest.approx(0.5, abs=0.11)


def test_bucket_names_read_back() -> None:
    assert [bucket_name(bucket) for bucket in ((0.0, 0.1), (0.4, 0.5), (0.00001, 1.0))] == [
        "0.0-0.1",
        "0.4-0.5",
        "0.00001-1.0",
    ]


def test_no_kind_left_is_an_error() -> None:
    params = _params(kinds={"box": 1.0}, training__kind_weights={"box": 0.0})
    with pytest.raises(DataError, match=r"raise a weight in masks\.training\.kind_weights"):
        DamageSampler(params, training=True)
    DamageSampler(params, training=False)


def test_a_bucket_without_a_pixel_is_an_error() -> None:
    params = _params(buckets=[0.1, 0.10001], training__bucket_weights=[1.0])
    with pytest.raises(DataError, match="use a larger picture"):
        _records(params, True, 1)
