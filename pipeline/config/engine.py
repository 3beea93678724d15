"""Section for the engine that stages run their shards on. It changes no result, so no stage depends on it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Section


class EngineParams(Section):
    """What works on shards, and how often one is done anew whose worker died."""

    kind: Literal["local", "ray"]
    workers: Count
    address: str = Field(pattern=r"^(auto|ray://[^/\s]+:\d+|[^/:\s]+:\d+)?$")
    retries: int = Field(ge=0)
    shard_rows: Count

    @model_validator(mode="after")
    def _address_is_for_ray(self) -> Self:
        if self.address and self.kind != "ray":
            raise ValueError(f"address ({self.address}) counts with kind: ray only; clear it, or choose ray")
        return self
