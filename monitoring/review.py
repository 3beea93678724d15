"""Choose the restorations that a person should review, and hold the result of a review.

A review never counts in recognition accuracy, nor in the A/B test: reviewers see flagged cases only, and a share
taken over those says nothing about all. Reviews are counted separately (`likeness_reviews_total`).
"""

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict

from models.region_names import REGIONS, Region
from monitoring.log.rows import Feedback, LogRow
from pipeline.config.serving import ReviewParams
from restoration.modes import UNFILLED

ReviewReason = Literal["not_recognised", "unlike_reference", "original_preferred", "identity_risk", "unlike_plain"]
"""Reasons to review, the most serious first: feedback says that it is not the person; the independent encoder says so,
by a reference photo; feedback prefers the original; much was invented; it is far from the classically filled face."""
_BY_SEVERITY: tuple[ReviewReason, ...] = get_args(ReviewReason)


def _each_once(regions: tuple[Region, ...]) -> tuple[Region, ...]:
    return tuple(region for region in REGIONS if region in regions)


class Review(BaseModel):
    """The result of one review. There is no free text: it could name a person, and the log is append-only.

    `same_person`: None where it cannot be decided. `invented`: regions that look made up, each once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_person: bool | None
    invented: Annotated[tuple[Region, ...], AfterValidator(_each_once)] = ()


@dataclass(frozen=True)
class FlaggedRestoration:
    """A restoration with at least one reason to review it, the most serious first."""

    row: LogRow
    reasons: tuple[ReviewReason, ...]

    @property
    def order(self) -> tuple[float, ...]:
        """Sort key: by the most serious reason, then by the number of reasons, then by risk."""
        return _BY_SEVERITY.index(self.reasons[0]), -len(self.reasons), -(self.row.identity_risk or 0.0)


def review_reasons(row: LogRow, feedback: Feedback | None, rules: ReviewParams) -> tuple[ReviewReason, ...]:
    """List the reasons to review a restoration, the most serious first; none if nothing was restored.

    Args:
        row: of the log.
        feedback: the latest feedback on it. Recognition by a person overrides all figures.
        rules: thresholds of the figures.
    """
    if row.mode in ("refuse", *UNFILLED):
        return ()
    recognised, preferred = (feedback.recognised, feedback.preferred) if feedback else (None, None)
    doubted = recognised is not True
    # a reference photo moves the face away from the plain fill, and says itself how alike the outcome is
    plain = row.similarity_plain_independent if row.similarity_reference_independent is None else None
    applies: dict[ReviewReason, bool] = {
        "not_recognised": recognised is False,
        "unlike_reference": doubted and row.recognised is False,
        "original_preferred": preferred == "original",
        "identity_risk": doubted and (row.identity_risk or 0.0) >= rules.min_identity_risk,
        "unlike_plain": doubted and plain is not None and plain < rules.max_similarity,
    }
    return tuple(reason for reason in _BY_SEVERITY if applies[reason])


def flagged_for_review(
    unreviewed: Iterable[tuple[LogRow, Feedback | None]],
    rules: ReviewParams,
    limit: int,
    still_there: Callable[[LogRow], bool],
) -> list[FlaggedRestoration]:
    """List at most `limit` restorations to review, the most serious first; memory does not grow with their number.

    Args:
        unreviewed: restorations whose pictures are stored and that have no review, with their latest feedback.
        rules: thresholds of the figures.
        limit: at least 1.
        still_there: whether the pictures still exist; called only for those that would be listed.
    """
    best: list[FlaggedRestoration] = []
    for row, feedback in unreviewed:
        if not (reasons := review_reasons(row, feedback, rules)):
            continue
        waiting = FlaggedRestoration(row, reasons)
        if (len(best) < limit or waiting.order < best[-1].order) and still_there(row):
            insort(best, waiting, key=lambda one: one.order)
            del best[limit:]
    return best
