"""Schemas of a person's review of kept restorations."""

from datetime import datetime
from typing import Self

from pydantic import Field

from monitoring.review import FlaggedRestoration, Review, ReviewReason
from restoration.modes import Mode
from serving.schemas.restorations import EXAMPLE_ID, EXAMPLE_PNG, Cosine, Shape, Share, example

_WAITING = {
    "request_id": EXAMPLE_ID,
    "time": "2026-11-23T09:12:44Z",
    "mode": "inpaint",
    "worries": ["not_recognised", "unlike_reference", "identity_risk"],
    "identity_risk": 0.21,
    "uncertainty": 0.41,
    "coverage": 0.33,
    "missing_features": 0.52,
    "similarity_plain": 0.48,
    "similarity_reference": 0.31,
}


class WaitingReview(Shape):
    """A restoration flagged for review. It does not name the model, so that the review is blind."""

    request_id: str
    time: datetime
    mode: Mode
    worries: tuple[ReviewReason, ...] = Field(description="reasons for the review, most severe first")
    identity_risk: Share | None
    uncertainty: Share | None = Field(description="share of the missing features that rests on the prior")
    coverage: Share | None
    missing_features: Share | None
    similarity_plain: Cosine | None = Field(description="of restored and classically filled face, independent encoder")
    similarity_reference: Cosine | None = Field(description="with the reference photo, independent encoder")

    @classmethod
    def of(cls, waiting: FlaggedRestoration) -> Self:
        """Take from the log's row what a reviewer needs."""
        row = waiting.row
        same = {"request_id", "time", "mode", "identity_risk", "uncertainty", "coverage", "missing_features"}
        return cls(
            **row.model_dump(include=same),
            worries=waiting.reasons,
            similarity_plain=row.similarity_plain_independent,
            similarity_reference=row.similarity_reference_independent,
        )

    model_config = example(_WAITING)


class Reviews(Shape):
    """Restorations flagged for review, most urgent first."""

    since: datetime = Field(description="requests since then were searched")
    reviews: tuple[WaitingReview, ...]

    model_config = example({"since": "2026-10-24T09:12:44Z", "reviews": [_WAITING]})


class ShownPictures(Shape):
    """The kept pictures of a request. `restored.png` is marked as restored by a trained model."""

    request_id: str
    pictures: dict[str, str] = Field(
        description="PNG in base64, by name: damaged.png, mask.png (white = missing), restored.png, reference-1.png, …"
    )

    model_config = example(
        {"request_id": EXAMPLE_ID, "pictures": dict.fromkeys(("damaged.png", "mask.png"), EXAMPLE_PNG)}
    )


class ReviewGiven(Review):
    """The reviewer's answer; `same_person` null: cannot say."""

    model_config = example({"same_person": False, "invented": ["nose", "left_eye"]})


class ReviewTaken(Shape):
    """Confirms that the review is logged."""

    request_id: str = Field(description="of the restoration")

    model_config = example({"request_id": EXAMPLE_ID})
