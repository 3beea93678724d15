"""What people said about a restoration."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator


class Feedback(BaseModel):
    """One answer: is it the same person, and which picture is preferred. Either may be left open, not both.

    All answers stay in the log; the latest one of a request counts, as a whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recognised: bool | None = None
    preferred: Literal["restored", "original"] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.recognised is None and self.preferred is None:
            raise ValueError("give recognised, preferred, or both")
        return self
