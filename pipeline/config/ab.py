"""Section for the A/B test between champion and challenger."""

from pydantic import Field

from pipeline.config.base import Section


class AbParams(Section):
    """Split and sequential test."""

    enabled: bool
    share: float = Field(gt=0.0, lt=1.0)
    alpha: float = Field(gt=0.0, lt=0.5)
    approval: bool
