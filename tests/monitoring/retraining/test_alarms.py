"""Which alarm starts a cycle, and which asks for a person."""

from pathlib import Path
from typing import get_args

import pytest

from monitoring.champion import Champion
from monitoring.drift.columns import GROUP_OF
from monitoring.drift.results import ColumnDrift, Drift
from monitoring.retraining.alarms import WHAT_TO_DO, Alarm, alarms
from monitoring.retraining.recognition import Recognition
from pipeline.config.load import load_params
from pipeline.config.watch import AlarmGroup, WatchParams
from tests.conftest import ROOT

WATCH = load_params(ROOT / "params.yaml").watch
YOUNG = Champion("4", Path("restorer.safetensors"), weeks=2.0)


def drifted(**p_values: float) -> Drift:
    columns = {
        name: ColumnDrift(
            group=GROUP_OF[name], test="ks", p=p / 10, p_adjusted=p, effect_method="wasserstein", effect=0.5,
            floor=0.15, drifted=p < 0.005,
        )
        for name, p in p_values.items()
    }  # fmt: skip
    return Drift(columns=columns, skipped={}, share=0.5, identity=None)


def recognised(hits: int, judged: int, *, below: bool) -> Recognition:
    return Recognition(
        recognised=hits, judged=judged, accuracy=hits / judged, low=0.6, high=0.7, evidence=50.0, below=below
    )


def raised(found: Drift | None, limits: WatchParams = WATCH, champion: Champion = YOUNG) -> dict[str, Alarm]:
    return {alarm.group: alarm for alarm in alarms(found, recognised(90, 100, below=False), champion, limits)}


def test_quiet() -> None:
    assert raised(drifted(area=0.4, brightness=1.0)) == {}


def test_a_group_names_its_columns_with_the_strongest_first() -> None:
    found = raised(drifted(area=1e-4, coverage=1e-9, brightness=0.2))
    assert set(found) == {"masks"}
    assert found["masks"].columns == ("coverage", "area")
    assert found["masks"].reason == "masks drifted: coverage (p 1e-09, effect 0.50), area (p 0.0001, effect 0.50)"
    assert found["masks"].starts_cycle


def test_a_broken_detector_starts_no_cycle_nor_do_its_consequences() -> None:
    found = raised(drifted(detector_score=1e-9, mode=1e-5, identity_space=1e-4))
    assert {group: alarm.starts_cycle for group, alarm in found.items()} == {
        "detector": False, "outputs": False, "identity": False
    }  # fmt: skip
    assert "Retraining the restorer does not help" in found["detector"].what_to_do
    assert raised(drifted(mode=1e-5))["outputs"].starts_cycle


def test_a_detector_that_suffers_from_the_dark_does_not_hide_the_dark() -> None:
    found = raised(drifted(detector_score=1e-9, brightness=1e-9))
    assert found["inputs"].starts_cycle
    assert not found["detector"].starts_cycle


def test_who_starts_a_cycle_is_a_parameter() -> None:
    limits = WATCH.model_copy(update={"starts_cycle": ("recognition",)})
    assert not raised(drifted(area=1e-9), limits)["masks"].starts_cycle


def test_recognition_and_age_are_told() -> None:
    old = Champion("4", Path("restorer.safetensors"), weeks=12.5)
    found = {alarm.group: alarm for alarm in alarms(None, recognised(130, 200, below=True), old, WATCH)}
    assert found["recognition"].reason == (
        "recognition accuracy 65.0% [60.0%, 70.0%] over 200 requests is below 80% (95% sure)"
    )
    assert found["age"].reason == "champion 4 is 12.5 weeks old (limit 12)"


@pytest.mark.parametrize("group", get_args(AlarmGroup))
def test_every_alarm_says_what_to_do(group: AlarmGroup) -> None:
    assert WHAT_TO_DO[group].endswith(".")
