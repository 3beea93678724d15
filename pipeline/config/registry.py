"""Section for the model registry."""

from pydantic import Field

from pipeline.config.base import Section


class RegistryParams(Section):
    """Name of the registered model."""

    model_name: str = Field(pattern=r"^[a-z0-9-]+$")
