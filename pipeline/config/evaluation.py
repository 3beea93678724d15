"""Sections for evaluation and the gate."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.metrics.names import MEANS, Metric
from pipeline.config.base import Count, Section, Seed, Share


class SliceParams(Section):
    """Groups of people that are judged apart: inner edges of the bins, by column of the portraits.

    `perceived_NAME` is the column NAME of the table `data.attributes`; it is passed over where there is no such table.
    """

    min_people: Count
    edges: dict[str, tuple[float, ...]]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for name, edges in self.edges.items():
            if not edges or list(edges) != sorted(set(edges)):
                raise ValueError(f"evaluate.slices.edges.{name} must be one or more rising numbers")
        return self


class EvaluateParams(Section):
    """How the frozen set is measured."""

    bootstrap: Count
    seed: Seed
    batch_size: Count
    missing_buckets: tuple[float, ...] = Field(min_length=2)
    recognition_false_match_rate: Share
    latency_runs: Count
    worst_cases: Count
    slices: SliceParams

    @model_validator(mode="after")
    def _rising(self) -> Self:
        edges = self.missing_buckets
        if list(edges) != sorted(set(edges)) or edges[0] != 0 or edges[-1] != 1:
            raise ValueError("evaluate.missing_buckets must rise from 0 to 1")
        return self


class Criterion(Section):
    """One row of the gate: a metric of the challenger, alone or as a ratio to another method.

    `versus` names the method in the denominator ("" = the value itself); `bucket` is a coverage bucket as
    "0.1-0.2", "all", or "worst slice" (of `evaluate.slices`, and of everything); `judge` says which end of the 95 %
    interval meets the bound.
    """

    name: str
    metric: Metric
    versus: Literal["", "telea", "navier-stokes", "face-model", "champion"]
    bucket: str
    at_most: float | None = None
    at_least: float | None = None
    judge: Literal["value", "lower", "upper"]

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(f"criterion {self.name} needs exactly one of at_most and at_least")
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.versus and self.metric not in MEANS:
            raise ValueError(f"criterion {self.name}: {self.metric} is not compared with others, leave versus empty")
        return self


class GateParams(Section):
    """All criteria must hold for a challenger to pass."""

    criteria: tuple[Criterion, ...] = Field(min_length=1)
