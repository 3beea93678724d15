"""Section for the model that a cycle starts from."""

from pydantic import Field

from pipeline.config.base import Section


class ChampionParams(Section):
    """The model that training starts from and evaluation compares with: `shipped`, or a registry version."""

    version: str = Field(pattern=r"^(shipped|[1-9][0-9]*)$")
