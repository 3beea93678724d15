"""Which restorations wait for a person's look, and what that person says of them.

A review never counts in recognition accuracy, nor in the A/B test: reviewers see the worrying cases only, and a share
taken over those says nothing about all. What they say is counted apart (`likeness_reviews_total`).
"""

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict

from models.region_names import REGIONS, Region
from monitoring.log.rows import Feedback, LogRow
from pipeline.config.serving import ReviewParams

Worry = Literal["not_recognised", "unlike_reference", "original_preferred", "identity_risk", "unlike_plain"]
"""Why, the gravest first: somebody said that it is not the person; the independent encoder says so, by a reference
photo; somebody would rather have the original; much was made up; it is far from the classically filled face."""
_GRAVITY: tuple[Worry, ...] = get_args(Worry)


def _each_once(regions: tuple[Region, ...]) -> tuple[Region, ...]:
    return tuple(region for region in REGIONS if region in regions)


class Review(BaseModel):
    """A verdict on one restoration. There is no free text: it could name somebody, and the log never forgets.

    `same_person`: None where it cannot be told. `invented`: regions that look made up, each once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_person: bool | None
    invented: Annotated[tuple[Region, ...], AfterValidator(_each_once)] = ()


@dataclass(frozen=True)
class Waiting:
    """A restoration, and at least one reason to look at it, the gravest first."""

    row: LogRow
    worries: tuple[Worry, ...]

    @property
    def order(self) -> tuple[float, ...]:
        """Sorts the most worrying first: by the gravest reason, then by how many there are, then by risk."""
        return _GRAVITY.index(self.worries[0]), -len(self.worries), -(self.row.identity_risk or 0.0)


def worries(row: LogRow, said: Feedback | None, rules: ReviewParams) -> tuple[Worry, ...]:
    """Reasons to look at a restoration, the gravest first; none where nothing was restored.

    Args:
        row: of the log.
        said: the latest feedback on it. Who knows the person and recognises them outweighs every figure.
        rules: from where on figures worry.
    """
    if row.mode in ("refuse", "unchanged"):
        return ()
    recognised, preferred = (said.recognised, said.preferred) if said else (None, None)
    doubted = recognised is not True
    # a reference photo moves the face away from the plain fill, and says itself how alike the outcome is
    plain = row.similarity_plain_independent if row.similarity_reference_independent is None else None
    found: dict[Worry, bool] = {
        "not_recognised": recognised is False,
        "unlike_reference": doubted and row.recognised is False,
        "original_preferred": preferred == "original",
        "identity_risk": doubted and (row.identity_risk or 0.0) >= rules.min_identity_risk,
        "unlike_plain": doubted and plain is not None and plain < rules.max_similarity,
    }
    return tuple(worry for worry in _GRAVITY if found[worry])


def most_worrying(
    kept: Iterable[tuple[LogRow, Feedback | None]],
    rules: ReviewParams,
    limit: int,
    still_there: Callable[[LogRow], bool],
) -> list[Waiting]:
    """At most `limit` of them, the most worrying first; never holds more, however many there are.

    Args:
        kept: restorations whose pictures were kept and that nobody has reviewed, with their latest feedback.
        rules: from where on figures worry.
        limit: at least 1.
        still_there: whether the pictures are; only asked of those that would make the list.
    """
    best: list[Waiting] = []
    for row, said in kept:
        if not (reasons := worries(row, said, rules)):
            continue
        waiting = Waiting(row, reasons)
        if (len(best) < limit or waiting.order < best[-1].order) and still_there(row):
            insort(best, waiting, key=lambda one: one.order)
            del best[limit:]
    return best
