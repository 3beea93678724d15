"""Section for the pictures that people let the service keep."""

from pipeline.config.base import Count, Section


class KeepParams(Section):
    """Where opted-in pictures lie, and for how long."""

    days: Count
    location: str
