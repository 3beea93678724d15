"""Each rule speaks when it should, and the order among them holds."""

import math
from typing import Any

import pytest

from monitoring.ab.decision import Effect, Evidence, decide
from pipeline.config.load import Params


def effect(low: float, high: float, n: int = 100, **changes: Any) -> Effect:
    values: dict[str, Any] = {
        "name": "identity", "unit": "cosine", "better": "higher", "alpha": 0.05, "n_champion": n, "n_challenger": n,
        "mean_champion": 0.8, "mean_challenger": 0.8, "effect": (low + high) / 2, "low": low, "high": high,
    }  # fmt: skip
    return Effect(**(values | changes))


def seen(identity: Effect, **changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "guard": effect(-1.0, 1.0), "others": (), "sample_ratio_p": 1.0,
        "subjects": 200, "crossed": 0, "requests": 300, "days": 1.0,
    }  # fmt: skip
    return Evidence(identity, **(values | changes))


@pytest.mark.parametrize(
    ("low", "high", "on_win", "not_worse"),
    [
        (0.001, 0.03, "win", "win"),
        (-0.019, 0.03, "running", "win"),  # the margin is 0.02
        (-0.02, 0.03, "running", "running"),
        (-0.019, -0.001, "loss", "loss"),  # within the margin, but proven worse
        (-0.019, 0.004, "futility", "win"),  # less than ab.min_effect
        (-0.1, 0.1, "running", "running"),
    ],
)
def test_the_identity_interval_decides(params: Params, low: float, high: float, on_win: str, not_worse: str) -> None:
    for promote_on, state in (("win", on_win), ("not-worse", not_worse)):
        rule = params.ab.model_copy(update={"promote_on": promote_on})
        assert decide(seen(effect(low, high)), rule).state == state


def test_few_subjects_decide_nothing_but_harm(params: Params) -> None:
    few = effect(0.1, 0.2, n=params.ab.min_subjects - 1)
    assert decide(seen(few), params.ab).state == "running"
    worse = effect(-0.2, -0.1, n=params.ab.guard_min_subjects)
    assert decide(seen(worse, guard=worse), params.ab).state == "guard-rail"
    fewer = worse.model_copy(update={"n_champion": params.ab.guard_min_subjects - 1})
    assert decide(seen(fewer, guard=fewer), params.ab).state == "running"
    slight = effect(-0.2, -params.ab.guard_rail + 0.001)
    assert decide(seen(effect(-1, 1), guard=slight), params.ab).state == "running"


def test_a_broken_assignment_comes_before_all(params: Params) -> None:
    won = effect(0.1, 0.2)
    assert decide(seen(won, sample_ratio_p=0.0009), params.ab).state == "sample-ratio"
    assert decide(seen(won, sample_ratio_p=0.0011), params.ab).state == "win"
    crossed = decide(seen(won, crossed=3), params.ab)
    assert crossed == ("sample-ratio", "3 of 200 subjects were served by both arms")
    assert decide(seen(won, crossed=2), params.ab).state == "win"


def test_a_proven_harm_elsewhere_forbids_the_win(params: Params) -> None:
    slower = math.log1p(params.ab.tolerance.latency)
    for low, high, state in ((slower + 0.001, 1.0, "loss"), (slower - 0.001, 1.0, "win"), (-1.0, -0.5, "win")):
        latency = effect(low, high, name="latency", better="lower")
        assert decide(seen(effect(0.1, 0.2), others=(latency,)), params.ab).state == state
    disliked = effect(-0.3, -0.11, name="preferred")
    assert decide(seen(effect(0.1, 0.2), others=(disliked,)), params.ab).reason.startswith("preferred is proven worse")


def test_a_test_without_an_answer_ends(params: Params) -> None:
    open_ = effect(-0.1, 0.1)
    assert decide(seen(open_, requests=params.ab.max_requests), params.ab).state == "futility"
    assert decide(seen(open_, days=params.ab.max_days), params.ab).state == "futility"
    nothing = effect(0, 0, n=0).model_copy(update={"effect": None, "low": None, "high": None})
    ended = decide(seen(nothing, days=params.ab.max_days), params.ab)
    assert ended.reason.endswith("no interval over 0 + 0 subjects")
    assert decide(seen(nothing), params.ab).state == "running"
