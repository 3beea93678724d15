"""Sections for the service and for what it may keep."""

from pydantic import Field

from pipeline.config.base import Count, Positive, Section


class ServeParams(Section):
    """Limits of the service."""

    workers: Count
    threads: Count
    max_batch: Count
    batch_wait_ms: float = Field(ge=0.0)
    queue: Count
    uploads: Count
    max_references: int = Field(ge=0)
    body_mebibytes: Positive
    header_seconds: Positive
    body_seconds: Positive
    answer_seconds: Positive
    reload_seconds: Positive


class KeepParams(Section):
    """Where opted-in pictures lie, and for how long."""

    days: Count
    location: str
