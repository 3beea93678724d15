"""Schemas of records about earlier requests, and of the service's state."""

from typing import Literal

from pydantic import Field

from monitoring.log.rows import Feedback, LogRow
from serving.schemas.restorations import EXAMPLE_ID, Shape, example


class StoredOutcome(Shape):
    """The log's features and scores of a request, without the subject's pseudonym."""

    request_id: str
    time: str
    figures: dict[str, float | int | str | bool | None]

    @classmethod
    def of(cls, row: LogRow) -> "StoredOutcome":
        """Take a row without its subject."""
        held = row.model_dump(mode="json", exclude={"request_id", "time", "subject"})
        return cls(request_id=row.request_id, time=row.time.isoformat(), figures=held)

    model_config = example(
        {
            "request_id": EXAMPLE_ID,
            "time": "2026-11-23T09:12:44+00:00",
            "figures": {"mode": "inpaint", "model_version": "3", "area": 0.031, "identity_risk": 0.06},
        }
    )


class FeedbackGiven(Feedback):
    """What a person says of a restoration: whether it is the same person, which picture they prefer, or both."""

    model_config = example({"recognised": True, "preferred": "restored"})


class FeedbackTaken(Shape):
    """Confirms that the feedback is logged."""

    request_id: str = Field(description="of the restoration")

    model_config = example({"request_id": EXAMPLE_ID})


class Forgotten(Shape):
    """Confirms that a subject's data are deleted."""

    deleted: int = Field(ge=0, description="requests whose kept pictures were deleted")

    model_config = example({"deleted": 2})


class Health(Shape):
    """The process answers."""

    status: Literal["ok"] = "ok"

    model_config = example({"status": "ok"})


class Readiness(Shape):
    """Whether requests are served, and by what."""

    ready: bool
    champion: str = Field(description="version, or `shipped`")
    challenger: str | None = Field(description="version while an A/B test is on")
    registry_up: bool = Field(description="false: the models that are loaded go on serving")
    storage_full: bool = Field(description="true: requests cannot be written down and are answered 507; not ready")

    model_config = example(
        {"ready": True, "champion": "3", "challenger": "4", "registry_up": True, "storage_full": False}
    )
