"""Sections for alerts, costs and the running of it all."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Count, Positive, Section


class AlertParams(Section):
    """When an alert is repeated, and what computing costs."""

    repeat_hours: Positive
    price_per_cpu_hour: float = Field(ge=0.0)
    currency: str


class OperateParams(Section):
    """How cycles run by themselves, and what housekeeping keeps."""

    revision: str
    when_busy: Literal["refuse", "queue"]
    keep_checkouts: Count
    keep_reports: Count
    keep_runs_days: float = Field(ge=1.0)
    database_mebibytes: Positive
    min_free_mebibytes: Positive
    log_segment_rows: int = Field(ge=1, le=2**24)
    log_live_rows: int = Field(ge=0)
