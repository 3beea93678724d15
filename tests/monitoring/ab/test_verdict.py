"""From log rows to a verdict with its figures."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from monitoring.ab.decision import Effect
from monitoring.ab.experiment import Experiment
from monitoring.ab.messages import next_step
from monitoring.ab.verdict import AbVerdict, judge, judge_rows
from monitoring.log.production_log import open_log
from pipeline.config.load import Params
from pipeline.project.paths import Paths
from tests.monitoring.ab.rows import ab_rows, log_rows
from tests.monitoring.traffic import MORNING

NOW = MORNING + timedelta(days=1)
TEST = Experiment(id="1-vs-2", champion="1", challenger="2", started=MORNING)
NONE = log_rows(0, 0)


def test_a_better_challenger_wins_with_all_figures(params: Params) -> None:
    rows = ab_rows(300, 1, effect=0.03)
    verdict = judge_rows(TEST, rows, NONE, params.ab, now=NOW)
    assert verdict.state == "win"
    assert sum(verdict.subjects.values()) == sum(verdict.requests.values())
    identity, *others = verdict.effects
    assert identity.name == "identity"
    assert identity.alpha == pytest.approx(0.04)  # its part of alpha
    opened = rows[rows["arm"].eq("challenger").cummax()].iloc[1:]
    means = opened.groupby("arm")["similarity_independent"].mean()
    assert identity.effect == pytest.approx(means["challenger"] - means["champion"])
    assert identity.mean_champion == pytest.approx(means["champion"])
    latency = next(effect for effect in others if effect.name == "latency")
    assert latency.low is not None
    assert latency.high is not None
    assert latency.low < 0 < latency.high
    assert {effect.name for effect in others if effect.effect is None} == {"lpips", "recognised", "preferred"}
    assert AbVerdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_the_same_model_twice_goes_on(params: Params) -> None:
    strict = params.ab.model_copy(update={"promote_on": "win", "min_effect": 0.0})
    verdict = judge_rows(TEST, ab_rows(300, 2), NONE, strict, now=NOW)
    assert verdict.state == "running"
    assert next_step(verdict, share=0.5, waiting=False).startswith("50% of the subjects go on to version 2")


def width(effect: Effect) -> float:
    assert effect.low is not None
    assert effect.high is not None
    return effect.high - effect.low


def test_rows_from_before_sharpen_the_interval(params: Params) -> None:
    def hard(n: int, seed: int, table: pd.DataFrame) -> pd.DataFrame:
        noise = np.random.default_rng([seed, 5]).normal(0, 0.02, n)
        return table.assign(similarity_independent=0.9 - 0.5 * table["missing_features"] + noise)

    during, before = hard(300, 3, ab_rows(300, 3)), hard(200, 4, log_rows(200, 4))
    plain = judge_rows(TEST, during, NONE, params.ab, now=NOW)
    sharp = judge_rows(TEST, during, before, params.ab, now=NOW)
    widths = [width(judged.effects[0]) for judged in (plain, sharp)]
    assert widths[1] < 0.3 * widths[0]
    assert plain.explained is None
    assert sharp.explained is not None
    assert sharp.explained > 0.9


def test_a_split_that_is_not_the_intended_one_is_named(params: Params) -> None:
    rows = ab_rows(400, 5, effect=0.05)
    lost = rows[(rows["arm"] == "champion") | (rows["sequence"] % 2 == 0)]  # half of the challenger's rows never came
    verdict = judge_rows(TEST, lost, NONE, params.ab, now=NOW)
    assert verdict.state == "sample-ratio"
    assert verdict.sample_ratio_p is not None
    assert verdict.sample_ratio_p < 0.001


def test_requests_of_less_than_full_strength_do_not_count(params: Params) -> None:
    rows = ab_rows(300, 1, effect=0.03)
    mixed = rows.assign(strength=0.4, similarity_independent=-1.0, request_id="mixed-" + rows["request_id"])
    before = log_rows(60, 7, strength=0.4, similarity_independent=-1.0)
    alone = judge_rows(TEST, rows, NONE, params.ab, now=NOW)
    assert judge_rows(TEST, pd.concat([rows, mixed]), before, params.ab, now=NOW) == alone


def test_no_rows_and_no_test_are_no_verdict(params: Params, paths: Paths) -> None:
    verdict = judge_rows(TEST, NONE, NONE, params.ab, now=NOW)
    assert (verdict.state, verdict.subjects) == ("running", {"champion": 0, "challenger": 0})
    assert judge(params, paths, now=NOW).state == "none"  # an untouched checkout has no registry


def test_a_recorded_verdict_waits_until_something_is_done(params: Params, paths: Paths) -> None:
    from monitoring.ab.record import (
        ended_tests,
        latest_answer,
        record_action,
        record_answer,
        record_verdict,
        unfinished_verdict,
    )

    now = datetime(2026, 3, 3, tzinfo=UTC)
    won = judge_rows(TEST, ab_rows(300, 1, effect=0.03), NONE, params.ab, now=NOW)
    with open_log(paths) as log:
        assert unfinished_verdict(log) is None
        record_verdict(log, won)
        assert unfinished_verdict(log) == won
        assert latest_answer(log, "1-vs-2") is None
        record_answer(log, "1-vs-2", approved=True, by="anna", now=now)
        assert (latest_answer(log, "1-vs-2"), latest_answer(log, "2-vs-3")) == (True, None)
        assert ended_tests(log) == [(won, None)]
        record_action(log, "1-vs-2", "promoted", "2", now)
        assert unfinished_verdict(log) is None
        assert ended_tests(log) == [(won, "promoted")]
        assert [entry.key for entry in log.entries("promotion")] == ["2"]
        record_verdict(log, won.model_copy(update={"experiment": "2-vs-3"}))
        assert unfinished_verdict(log) is not None
