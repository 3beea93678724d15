"""Questions to the journal that more than one column, or more than one kind of entry, answers."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select

from monitoring.log.schema import entries


def about(kind: str, key: str) -> tuple[ColumnElement[bool], ...]:
    """Entries of one kind about one thing."""
    return entries.c.kind == kind, entries.c.key == key


def kept_and_unreviewed(since: str) -> Select[Any]:
    """(body, body of the latest feedback or NULL) of restorations kept from `since` on that nobody has reviewed."""
    keeping, row, answer, review = (entries.alias(name) for name in ("keeping", "row", "answer", "review"))
    latest = select(answer.c.body).where(answer.c.kind == "feedback", answer.c.key == row.c.key)
    reviewed = exists().where(review.c.kind == "review", review.c.key == row.c.key)
    own = and_(row.c.kind == "restoration", row.c.key == keeping.c.key)
    return (
        select(row.c.body, latest.order_by(answer.c.sequence.desc()).limit(1).scalar_subquery().label("said"))
        .select_from(keeping.join(row, own))
        .where(keeping.c.kind == "keeping", keeping.c.time >= since, ~reviewed)
    )
