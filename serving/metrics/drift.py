"""Export the watch's last verdict on the serving champion to Prometheus; it is read at each scrape."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.retraining.windows import last_watch_run
from monitoring.status.windows import accuracy_now, judged_windows
from pipeline.project.paths import Paths


class WatchCollector(Collector):
    """The time and results of the last watch, and the champion's age; each is absent while it is unknown.

    As on the status page, results are those of the serving champion: after a promotion there are none until it has a
    window of its own.

    Args:
        paths: the checkout.
        champion: version of the serving champion, and when it was promoted; None for the shipped model.
    """

    def __init__(self, paths: Paths, champion: Callable[[], tuple[str, datetime | None]]) -> None:
        self._paths, self._champion = paths, champion

    def collect(self) -> Iterator[Metric]:
        """Collect the metrics at a scrape."""
        version, promoted = self._champion()
        own = [window for window in judged_windows(self._paths) if window.champion == version]
        drifted = len(own[-1].drifted) if own and own[-1].columns else None
        age = None if promoted is None else (datetime.now(UTC) - promoted).total_seconds()
        look = last_watch_run(self._paths)
        seconds = None if look is None else look.timestamp()
        yield _gauge("likeness_watch_last_success_timestamp_seconds", "Of the watch", seconds)
        yield _gauge("likeness_recognition_accuracy", "Of the champion's windows", accuracy_now(own, version).value)
        yield _gauge("likeness_drifted_columns", "In the champion's last judged window", drifted)
        yield _gauge("likeness_champion_age_seconds", "Since its promotion", age)


def _gauge(name: str, about: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about)
    if value is not None:
        family.add_metric([], value)
    return family
