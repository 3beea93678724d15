"""What Prometheus is told of the watch is what the status page shows: of the serving champion alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitoring.status.windows import accuracy_now, judged_windows
from pipeline.project.paths import Paths
from serving.metrics.drift import WatchCollector
from tests.monitoring.status.test_collect import verdict


def scraped(paths: Paths, version: str, promoted: datetime | None = None) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(WatchCollector(paths, lambda: (version, promoted)))
    return {sample.name: sample.value for family in registry.collect() for sample in family.samples}


def test_after_a_promotion_nothing_of_the_champion_before_is_exported(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    verdict(paths, "000001-000500", "1", 30, ("area",))
    before = scraped(paths, "1")
    assert before["likeness_drifted_columns"] == 1
    assert before["likeness_recognition_accuracy"] == pytest.approx(0.5)
    after = scraped(paths, "2", datetime.now(UTC) - timedelta(hours=1))
    assert set(after) & {"likeness_drifted_columns", "likeness_recognition_accuracy"} == set()
    assert after["likeness_champion_age_seconds"] == pytest.approx(3600, abs=60)
    verdict(paths, "000501-000900", "2", 57)
    own = scraped(paths, "2")
    assert own["likeness_drifted_columns"] == 0
    assert own["likeness_recognition_accuracy"] == accuracy_now(judged_windows(paths), "2").value == 57 / 60
