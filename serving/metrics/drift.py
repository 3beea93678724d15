"""Export the watch's last verdict to Prometheus; it is read at each scrape."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.retraining.windows import last_watch_run
from pipeline.project.paths import Paths


class WatchCollector(Collector):
    """The time and results of the last watch, and the champion's age; each is absent while it is unknown.

    Args:
        paths: the checkout.
        promoted: when the serving champion was promoted; None for the shipped model.
    """

    def __init__(self, paths: Paths, promoted: Callable[[], datetime | None]) -> None:
        self._paths, self._promoted = paths, promoted

    def collect(self) -> Iterator[Metric]:
        """Collect the metrics at a scrape."""
        verdict = self._last_verdict()
        recognition, drift = verdict.get("recognition") or {}, verdict.get("drift") or {}
        columns = drift.get("columns")
        drifted = None if columns is None else sum(bool(column.get("drifted")) for column in columns.values())
        promoted = self._promoted()
        age = None if promoted is None else (datetime.now(UTC) - promoted).total_seconds()
        look = last_watch_run(self._paths)
        seconds = None if look is None else look.timestamp()
        yield _gauge("likeness_watch_last_success_timestamp_seconds", "Of the watch", seconds)
        yield _gauge("likeness_recognition_accuracy", "Of the last judged window", recognition.get("accuracy"))
        yield _gauge("likeness_drifted_columns", "In the last judged window", drifted)
        yield _gauge("likeness_champion_age_seconds", "Since its promotion", age)

    def _last_verdict(self) -> dict[str, Any]:
        """Read the last verdict: windows are named by their rows in the log, so that names sort by time."""
        files = sorted(self._paths.drift.glob("[0-9]*/verdict.json"))
        if not files:
            return {}
        verdict: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
        return verdict


def _gauge(name: str, about: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about)
    if value is not None:
        family.add_metric([], value)
    return family
