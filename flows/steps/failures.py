"""Send an alert when a scheduled flow fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.errors import Busy, LikenessError
from monitoring.alerts.send import Alert, alert
from pipeline.config.load import load_params
from pipeline.project.paths import Paths

_REMEDY = "read the run's log in Prefect's pages or in state/logs/runs.log"


@dataclass(frozen=True)
class Work:
    """Something that runs by itself: its alert's code, its name for people, and what holds while it fails."""

    code: str
    title: str
    meanwhile: str


CYCLE = Work("cycle-failed", "A cycle failed", "the champion stays, the next trigger starts a new cycle")
WATCH = Work(
    "watch-failed", "A look at production failed", "drift goes unseen until a look succeeds; the next is in an hour"
)
VERDICT = Work("verdict-failed", "The A/B verdict failed", "both models go on serving; the next look is in an hour")
HOUSEKEEPING = Work("housekeeping-failed", "Housekeeping failed", "what has expired may still be there; again tomorrow")


@contextmanager
def telling_failure(root: Path, work: Work, reason: str = "") -> Iterator[None]:
    """An alert when the block fails, whatever of; not where it was merely refused. The error goes on its way.

    Args:
        root: the checkout, or state/production.
        work: what is done in the block.
        reason: why it is done; for people.
    """
    try:
        yield
    except Busy:
        raise
    except Exception as error:
        paths = Paths(root)
        alert(load_params(paths.params), paths, _told(work, reason, error), datetime.now(UTC))
        raise


def _told(work: Work, reason: str, error: Exception) -> Alert:
    happened, remedy = _said(error)
    return Alert(
        code=work.code,
        title=work.title,
        what_happened=f'"{reason}": {happened}' if reason else happened,
        what_to_do=f"{remedy}; {work.meanwhile}",
        facts={"reason": reason} if reason else {},
    )


def _said(error: Exception) -> tuple[str, str]:
    """What happened and its remedy; of an error that nobody foresaw the type alone: its text may quote a person."""
    if isinstance(error, LikenessError):
        return f"expected {error.expected} and got {error.got}", error.remedy
    return f"ended with {type(error).__name__}", _REMEDY
