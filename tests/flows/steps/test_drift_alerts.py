"""Every alarm of a verdict becomes one alert, which says whether a cycle starts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.steps.drift_alerts import send_drift_alerts
from monitoring.retraining.alarms import WHAT_TO_DO, Alarm
from monitoring.retraining.watch import Verdict
from pipeline.config.load import load_params
from pipeline.config.watch import AlarmGroup
from pipeline.project.paths import Paths
from tests.conftest import ROOT

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def verdict(*alarms: Alarm) -> Verdict:
    return Verdict(
        window_id="00000001-00000500", triggered=True, alarms=alarms, reasons=("masks drifted",), note="", requests=500,
        champion="3", champion_weeks=1.0, drift=None, recognition=None, overrides={}, report_html=None,
    )  # fmt: skip


def alarm(group: AlarmGroup, *, starts_cycle: bool) -> Alarm:
    what_to_do = WHAT_TO_DO[group]
    return Alarm.model_validate(
        {"group": group, "columns": ("area",), "reason": f"{group} drifted", "what_to_do": what_to_do,
         "starts_cycle": starts_cycle}
    )  # fmt: skip


def test_one_alert_for_each_alarm_and_none_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEBHOOK", "SMTP", "MAIL_TO", "LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    params, paths = load_params(ROOT / "params.yaml"), Paths(tmp_path)
    found = verdict(alarm("masks", starts_cycle=True), alarm("detector", starts_cycle=False))
    assert send_drift_alerts(params, paths, found, NOON) == 2
    assert send_drift_alerts(params, paths, found, NOON) == 0
    masks, detector = (json.loads(line) for line in paths.alerts.read_text(encoding="utf-8").splitlines())
    assert masks["code"] == "watch-masks"
    assert masks["what_happened"] == "window 00000001-00000500: masks drifted"
    assert masks["what_to_do"].endswith("A cycle starts automatically.")
    assert detector["what_to_do"] == WHAT_TO_DO["detector"]


def test_every_group_of_alarms_has_words_of_its_own(tmp_path: Path) -> None:
    from flows.steps.drift_alerts import _TITLES

    assert set(_TITLES) == set(WHAT_TO_DO)
    assert len(set(_TITLES.values())) == len(_TITLES)
