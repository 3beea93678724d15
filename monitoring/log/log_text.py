"""How times and bodies are written into the journal."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from models.errors import DataError

_LARGEST_BODY = 65_536  # characters: figures fit, a picture does not


def stamp(time: datetime) -> str:
    """One zone and one width, so that the order of texts is that of times.

    Raises:
        DataError: a time without its zone.
    """
    if time.tzinfo is None:
        raise DataError("a time with its zone", time.isoformat(), "use datetime.now(UTC)")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def body_text(body: Mapping[str, Any]) -> str:
    """A body as JSON.

    Raises:
        DataError: it is none (NaN is not JSON), or too large.
    """
    try:
        written = json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise DataError("a body of JSON values", str(error), "log figures and short texts only") from error
    if len(written) > _LARGEST_BODY:
        remedy = "log figures and short texts only"
        raise DataError(f"a body of at most {_LARGEST_BODY} characters", f"{len(written)}", remedy)
    return written
