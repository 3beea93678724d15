"""Metrics for Prometheus, in a registry of the service's own."""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
_STAGE_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SHARES = tuple(round(step / 10, 1) for step in range(11))
_COSINES = tuple(round(step / 10, 1) for step in range(-2, 11))


class Metrics:
    """The counters, gauges and histograms of the service. Thread-safe, as Prometheus' types are."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # unused
        own = self.registry = CollectorRegistry(auto_describe=True)
        arm = ("arm",)
        self.requests = Counter("likeness_requests", "Photos answered", ("mode", "arm"), registry=own)
        self.rejected = Counter("likeness_rejected", "Requests without an outcome", ("reason",), registry=own)
        self.seconds = Histogram(
            "likeness_request_seconds", "From the whole body to the outcome", arm, buckets=_SECONDS, registry=own
        )
        self.stages = Histogram(
            "likeness_stage_seconds", "Parts of it", ("stage",), buckets=_STAGE_SECONDS, registry=own
        )
        self.queue = Gauge("likeness_queue_depth", "Photos that wait", registry=own)
        self.batch = Histogram(
            "likeness_batch_faces", "Faces restored at once", buckets=(1, 2, 3, 4, 6, 8, 12, 16, 32), registry=own
        )
        self.cpu = Counter("likeness_cpu_seconds", "CPU time of outcomes", ("work",), registry=own)
        self.similarity = Histogram(
            "likeness_identity_similarity",
            "Cosine of restored and classically filled face",
            ("encoder", "arm"),
            buckets=_COSINES,
            registry=own,
        )
        self.risk = Histogram("likeness_identity_risk", "Of the riskiest face", buckets=_SHARES, registry=own)
        self.feedback = Counter("likeness_feedback", "What people said", ("recognised",), registry=own)
        self.reviews = Counter("likeness_reviews", "What reviewers said", ("same_person",), registry=own)
        self.model = Gauge("likeness_model_info", "1 for each version that serves", ("arm", "version"), registry=own)
        self.reloads = Counter("likeness_reloads", "After an alias moved", ("outcome",), registry=own)
        self.registry_up = Gauge("likeness_registry_up", "Whether the model registry answers", registry=own)

    def set_models(self, versions: Iterable[tuple[str, str]]) -> None:
        """Set which (arm, version) serve now; earlier ones disappear."""
        self.model.clear()
        for arm, version in versions:
            self.model.labels(arm, version).set(1)

    def exposition(self) -> bytes:
        """Make the text that Prometheus scrapes."""
        return generate_latest(self.registry)
