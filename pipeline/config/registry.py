"""Sections for the model registry, and for the model of it that a cycle starts from."""

from pydantic import Field

from pipeline.config.base import Section


class RegistryParams(Section):
    """Name of the registered model."""

    model_name: str = Field(pattern=r"^[a-z0-9-]+$")


class ChampionParams(Section):
    """The model that training starts from and evaluation compares with: `shipped`, or a registry version."""

    version: str = Field(pattern=r"^(shipped|[1-9][0-9]*)$")
