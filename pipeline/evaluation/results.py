"""Results of an evaluation as data: read by the gate, DVC, the report and people."""

import math
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.bootstrap import Interval


class Figure(BaseModel):
    """A measured value with its 95 % interval over identities; None where there is no figure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None
    high: float | None
    n: int

    @classmethod
    def of(cls, interval: Interval) -> Self:
        """Make a figure from an interval; NaN and infinity become None, which JSON can say."""
        return cls.finite(interval.value, interval.low, interval.high, interval.n)

    @classmethod
    def finite(cls, value: float, low: float, high: float, n: int) -> Self:
        """Make a figure from numbers, with None in place of those that are not finite."""
        return cls(value=_finite(value), low=_finite(low), high=_finite(high), n=n)


Metrics = dict[str, Figure]
"""Figures by metric."""
Buckets = dict[str, Metrics]
"""Metrics by bucket; `all` holds every restoration."""


class Gap(BaseModel):
    """The slice with the largest mean over the one with the smallest; the interval takes that choice as given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worst: str
    best: str
    ratio: Figure


class Slices(BaseModel):
    """Figures by group of people; slices with too few people are left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    methods: dict[str, Buckets] = {}
    """Figures by method, slice and metric."""
    ratios: dict[str, dict[str, Figure]] = {}
    """`METRIC_vs_METHOD` -> slice -> mean of the challenger divided by the mean of that method."""
    gaps: dict[str, dict[str, Gap]] = {}
    """Attribute -> metric -> worst over best slice of the challenger."""


class EvaluateReport(BaseModel):
    """Everything measured on the frozen set. All but `latency_ms` is the same at each run on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    portraits: int
    identities: int
    masks: int
    versions: dict[str, str]
    """What was measured: SHA-256 of the weights by method, and `champion_version`."""
    encoders: dict[str, str]
    """Names of the encoders: `training` (part of the loss) and `independent` (judges only)."""
    thresholds: dict[str, float]
    """Similarity from which a restoration counts as recognised, by encoder."""
    methods: dict[str, Buckets]
    """Figures by method and coverage bucket."""
    missing: dict[str, Buckets]
    """Figures by method and bucket of missing features."""
    ratios: dict[str, dict[str, Figure]]
    """`METRIC_vs_METHOD` -> coverage bucket -> mean of the challenger divided by the mean of that method."""
    id_fid: dict[str, float | None]
    """Frechet distance of identity embeddings to those of the intact portraits; `split_half` is the noise floor."""
    latency_ms: dict[str, float]
    """Median time of one picture by method, milliseconds."""
    summary: dict[str, float | None]
    """The few figures of the challenger that are compared between runs."""
    encoder_sha256: dict[str, str] = {}
    """SHA-256 of the encoders' weights, by role; empty in reports from before it was recorded."""
    slices: Slices = Slices()
    """Figures by group of people; empty in reports from before there were any."""

    def tracked(self) -> dict[str, float]:
        """List summary and latencies as MLflow has them, by dotted names; what was not measured is left out."""
        figures = {f"evaluate.{name}": value for name, value in self.summary.items() if value is not None}
        return figures | {f"evaluate.latency_ms.{name}": value for name, value in self.latency_ms.items()}


def summarise(methods: Mapping[str, Buckets], ratios: Mapping[str, Mapping[str, Figure]]) -> dict[str, float | None]:
    """List the challenger's means over everything, and its ratios to the other methods, flat by name."""
    means = {metric: figure.value for metric, figure in methods["challenger"]["all"].items()}
    headline = ("lpips", "identity_distance_independent")
    compared = {name: by["all"].value for name, by in ratios.items() if name.rpartition("_vs_")[0] in headline}
    return means | compared


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
