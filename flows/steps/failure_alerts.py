"""Send an alert when a scheduled flow fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.errors import Busy, LikenessError
from monitoring.alerts.send import Alert, alert
from pipeline.config.load import load_params_in_need
from pipeline.project.paths import Paths
from pipeline.project.storage import full_disk_in_words

_REMEDY = "read the run's log in Prefect's pages or in state/logs/runs.log"


@dataclass(frozen=True)
class Work:
    """A scheduled flow: its alert's code and title, and what happens while it fails."""

    code: str
    title: str
    meanwhile: str


CYCLE = Work("cycle-failed", "A cycle failed", "the champion stays, the next trigger starts a new cycle")
WATCH = Work("watch-failed", "The watch failed", "drift is not detected until a run succeeds; the next is in an hour")
VERDICT = Work("verdict-failed", "The A/B verdict failed", "both models go on serving; the next run is in an hour")
HOUSEKEEPING = Work("housekeeping-failed", "Housekeeping failed", "expired data may remain; it runs again tomorrow")


@contextmanager
def alert_on_failure(root: Path, work: Work, reason: str = "") -> Iterator[None]:
    """Send an alert if the block fails, and raise the error again; no alert for `Busy`.

    Args:
        root: the checkout, or state/production.
        work: the flow.
        reason: why it runs; for people.
    """
    try:
        with full_disk_in_words("what this flow writes"):
            yield
    except Busy:
        raise
    except Exception as error:
        paths = Paths(root)
        alert(load_params_in_need(paths.params), paths, _failure_alert(work, reason, error), datetime.now(UTC))
        raise


def _failure_alert(work: Work, reason: str, error: Exception) -> Alert:
    happened, remedy = _describe(error)
    return Alert(
        code=work.code,
        title=work.title,
        what_happened=f'"{reason}": {happened}' if reason else happened,
        what_to_do=f"{remedy}; {work.meanwhile}",
        facts={"reason": reason} if reason else {},
    )


def _describe(error: Exception) -> tuple[str, str]:
    """Describe what happened, and its remedy; of an unexpected error only the type, as its text may be personal."""
    if isinstance(error, LikenessError):
        return f"expected {error.expected} and got {error.got}", error.remedy
    return f"ended with {type(error).__name__}", _REMEDY
