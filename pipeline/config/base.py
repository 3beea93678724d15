"""What every section of params.yaml has in common."""

from pydantic import BaseModel, ConfigDict

from models.limits import Count, NotNegative, Positive, Seed, Share

__all__ = ["Count", "NotNegative", "Positive", "Section", "Seed", "Share"]


class Section(BaseModel):
    """A frozen section. No field has a Python default: DVC could not see it change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
