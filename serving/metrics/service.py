"""Figures for Prometheus, in a registry of the service's own."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

if TYPE_CHECKING:
    from monitoring.log.rows import LogRow

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
_STAGE_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SHARES = tuple(round(step / 10, 1) for step in range(11))
_COSINES = tuple(round(step / 10, 1) for step in range(-2, 11))


class Metrics:
    """What the service counts. Thread-safe, as Prometheus' own types are."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nothing here reads
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

    def observe(self, row: "LogRow", stages: Iterable[tuple[str, float]], encoders: Sequence[str]) -> None:
        """Count one outcome.

        Args:
            row: as it is logged.
            stages: names and seconds.
            encoders: names of the training and of the independent one.
        """
        self.requests.labels(row.mode, row.arm).inc()
        self.seconds.labels(row.arm).observe(row.milliseconds / 1000)
        for name, seconds in stages:
            self.stages.labels(name).observe(seconds)
        self.cpu.labels("verification").inc(row.verification_cpu_seconds)
        self.cpu.labels("restoration").inc(max(0.0, row.cpu_seconds - row.verification_cpu_seconds))
        if row.mode == "unchanged":  # nothing was restored that could be alike, or at risk
            return
        alike = (row.similarity_plain_training, row.similarity_plain_independent)
        for encoder, cosine in zip(encoders, alike, strict=True):
            if cosine is not None:
                self.similarity.labels(encoder, row.arm).observe(cosine)
        if row.identity_risk is not None:
            self.risk.observe(row.identity_risk)

    def serve(self, versions: Iterable[tuple[str, str]]) -> None:
        """Say which (arm, version) serve now; earlier ones disappear."""
        self.model.clear()
        for arm, version in versions:
            self.model.labels(arm, version).set(1)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
