"""Sections for alerts and costs."""

from pydantic import Field

from pipeline.config.base import Positive, Section


class AlertParams(Section):
    """When an alert is repeated, and what computing costs."""

    repeat_hours: Positive
    price_per_cpu_hour: float = Field(ge=0.0)
    currency: str
