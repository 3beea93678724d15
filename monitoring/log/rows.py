"""One row per production request, and the feedback on it: never a picture, an embedding or a file name."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from restoration.modes import Mode

Arm = Literal["champion", "challenger"]
Code = Annotated[str, Field(max_length=200)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Cosine = Annotated[float, Field(ge=-1.001, le=1.001)]
Duration = Annotated[float, Field(ge=0.0)]
Size = Annotated[int, Field(ge=1)]


class LogRow(BaseModel):
    """What is stored of one request. Numbers that need a face are None where none was found.

    Angles in degrees, brightness 0..255 (mean luma), shares in [0, 1], CPU time in seconds, sizes in photo pixels.
    Similarities are cosines by the training and the independent encoder: of restored against original (no prefix),
    against the classically filled face (`plain`), against an accepted reference photo (`reference`); None where there
    is nothing to compare with. `recognised`: the independent one, against original or reference, is at least the
    evaluation's threshold. `mask_x`, `mask_y`: centroid of the missing pixels relative to the box of the surest face,
    0..1 within it. `uncertainty`: see `restoration.risk.uncertainty`. `lpips`: to the original, in a replay.
    `subject` is a pseudonym, "" where the caller gave none. `veil`: how much of a veil of fading was lifted, None where
    none was. `strength`: share of what the face model filled, the rest being the classical fill; a row without it was
    restored in full. `generated`: whether a trained model made any pixel; None where nobody noted it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    request_id: Annotated[str, Field(min_length=1, max_length=64)]
    time: AwareDatetime
    model_version: Annotated[str, Field(min_length=1, max_length=64)]
    mode: Mode
    reason: Code
    detector_score: float | None
    face_count: Annotated[int, Field(ge=0)]
    width: Size
    height: Size
    brightness: Annotated[float, Field(ge=0.0, le=255.0)]
    contrast: Annotated[float, Field(ge=0.0)]
    sharpness: Annotated[float, Field(ge=0.0)]
    yaw: float | None
    pitch: float | None
    roll: float | None
    kind: Annotated[str, Field(max_length=32)]
    area: Share | None
    coverage: Share | None
    missing_features: Share | None
    similarity_training: Cosine | None
    similarity_independent: Cosine | None
    recognised: bool | None
    milliseconds: Duration
    subject: Annotated[str, Field(max_length=32)]
    arm: Arm
    face_size: Annotated[float, Field(gt=0.0)] | None
    mask_x: float | None
    mask_y: float | None
    identity_risk: Share | None
    uncertainty: Share | None
    similarity_plain_training: Cosine | None
    similarity_plain_independent: Cosine | None
    similarity_reference_training: Cosine | None
    similarity_reference_independent: Cosine | None
    lpips: Annotated[float, Field(ge=0.0)] | None
    cpu_seconds: Duration
    verification_cpu_seconds: Duration
    queue_milliseconds: Duration
    veil: Share | None = None
    strength: Share = 1.0
    generated: bool | None = None

    @model_validator(mode="after")
    def _recognised_needs_something_to_compare(self) -> Self:
        compared = {self.similarity_independent, self.similarity_reference_independent} != {None}
        if self.recognised is not None and not compared:
            raise ValueError("recognised needs similarity_independent or similarity_reference_independent")
        return self


COLUMNS: tuple[str, ...] = tuple(LogRow.model_fields)
TEXT = ("request_id", "model_version", "mode", "reason", "kind", "subject", "arm")
INTEGERS = ("face_count", "width", "height")
FLAGS = ("recognised", "generated")
NUMBERS = tuple(name for name in COLUMNS if name not in (*TEXT, *INTEGERS, *FLAGS, "time"))


def frame(rows: Iterable[LogRow]) -> pd.DataFrame:
    """Build a table with the columns of `LogRow`, the same types whatever the rows hold (see `set_types`)."""
    return set_types(pd.DataFrame([row.model_dump() for row in rows], columns=list(COLUMNS)))


def set_types(table: pd.DataFrame) -> pd.DataFrame:
    """Give the log's columns their types: float64 (NaN = None), int64, UTC time, nullable boolean, object text."""
    later = {"veil": np.nan, "strength": np.nan, "generated": None}
    table = table.assign(**{name: value for name, value in later.items() if name not in table})
    table["strength"] = table["strength"].astype("float64").fillna(1.0)
    types = dict.fromkeys(TEXT, "object") | dict.fromkeys(INTEGERS, "int64") | dict.fromkeys(NUMBERS, "float64")
    result = table.astype(types | dict.fromkeys(FLAGS, "boolean"))
    result["time"] = pd.to_datetime(result["time"], utc=True, format="ISO8601")
    return result


def restored_in_full(table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that judge a model: a face mixed with the classical fill is not its own."""
    return table[table["strength"] == 1.0]


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
