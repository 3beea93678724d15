"""Overrides of a cycle that drift started."""

import numpy as np
import pandas as pd
import pytest

from monitoring.retraining.mask_mix import bucket_shares, kind_shares, mask_mix_overrides
from pipeline.config.load import Params, load_params
from tests.conftest import ROOT
from tests.monitoring.traffic import traffic

PARAMS = ROOT / "params.yaml"


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(PARAMS)


def log_of(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_buckets_by_hand() -> None:
    log = log_of(area=[0.1, 0.1, 0.1, 0.1, 0.0, None], coverage=[0.05, 0.1, 0.5, 0.9, 0.0, None])
    # 0.1 opens the second bucket, 0.5 closes the last, 0.9 counts for it; no hole and no face do not count
    assert bucket_shares(log, (0.0, 0.1, 0.3, 0.5)) == [0.25, 0.25, 0.5]
    assert bucket_shares(log.iloc[4:], (0.0, 0.1, 0.3, 0.5)) is None


def test_unknown_kinds_are_left_out() -> None:
    log = log_of(kind=["brush", "brush", "box", "", "", "", "", "graffiti"])
    assert kind_shares(log, ["brush", "box", "fold"]) == [pytest.approx(2 / 3), pytest.approx(1 / 3), 0.0]
    assert kind_shares(log, ["tear"]) is None


def test_halfway_to_the_traffic_by_hand(params: Params) -> None:
    log = log_of(area=[0.2] * 4, coverage=[0.45, 0.45, 0.45, 0.35], kind=[""] * 4)
    changes = mask_mix_overrides(log, params.masks, 0.5, "3")
    # even shares 0.2 each, traffic (0, 0, 0, 0.25, 0.75), halfway, times five buckets
    assert changes == {"champion.version": "3", "masks.training.bucket_weights": [0.5, 0.5, 0.5, 1.125, 2.375]}


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("shift", ["larger-masks", "other-kinds"])
def test_overrides_are_valid_and_move_towards_the_traffic(params: Params, shift: str, weight: float) -> None:
    log = traffic(200, seed=3, shift=shift)
    before = params.masks
    after = load_params(PARAMS, mask_mix_overrides(log, before, weight, "shipped")).masks
    buckets, wanted = np.array(after.training.bucket_weights) / 5, np.array(bucket_shares(log, before.buckets))
    assert np.abs(buckets - wanted).sum() == pytest.approx((1 - weight) * np.abs(0.2 - wanted).sum(), abs=1e-3)
    active = {kind: weight for kind, weight in before.kinds.items() if weight > 0}
    kinds = [str(kind) for kind in active]
    even = np.array(list(active.values())) / sum(active.values())
    moved = np.array([after.training.kind_weights[kind] for kind in active]) / len(kinds)
    seen = np.array(kind_shares(log, kinds))
    assert np.abs(moved - seen).sum() == pytest.approx((1 - weight) * np.abs(even - seen).sum(), abs=1e-3)


def test_what_is_switched_off_stays_off(params: Params) -> None:
    masks = params.masks.model_copy(update={"kinds": {**params.masks.kinds, "box": 0.0}})
    weights = mask_mix_overrides(traffic(50, 0), masks, 1.0, "shipped")["masks.training.kind_weights"]
    assert "box" not in weights


def test_a_second_cycle_starts_from_the_first(params: Params) -> None:
    log = traffic(200, seed=3, shift="larger-masks")
    once = load_params(PARAMS, mask_mix_overrides(log, params.masks, 0.5, "1"))
    twice = load_params(PARAMS, mask_mix_overrides(log, once.masks, 0.5, "2"))
    low = [p.masks.training.bucket_weights[0] for p in (params, once, twice)]
    assert low == [pytest.approx(1.0), pytest.approx(0.5), pytest.approx(0.25)]
