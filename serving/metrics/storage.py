"""Export what is free on the service's disks, and whether requests can be written down."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.status.storage import StorageWatch


class StorageCollector(Collector):
    """The state of the storage at each scrape."""

    def __init__(self, watch: StorageWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """Collect the metrics at a scrape."""
        full, free = float(self._watch.full()), self._watch.free()
        yield GaugeMetricFamily("likeness_storage_full", "Whether requests cannot be written down", full)
        yield GaugeMetricFamily("likeness_storage_free_bytes", "On the fullest disk of state and pictures", free)
