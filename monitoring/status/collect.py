"""Collect the status of everything: nothing is changed, and a part that does not answer is left empty."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

from models.errors import LikenessError, StorageError
from monitoring.champion import champion_served
from monitoring.retraining.windows import last_watch_run
from monitoring.status.experiments import NO_CHALLENGE, UNKNOWN_CHALLENGE, current_challenge, measured_onsets
from monitoring.status.log import last_verification, recent_cost
from monitoring.status.model import Onset, Serving, Status, Window
from monitoring.status.storage import storage_state
from monitoring.status.windows import accuracy_now, judged_windows, recent_alerts, running_cycle
from monitoring.status.wording import headline, worst_light
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.versions import SHIPPED, ChampionState, ModelRow, champion_state, list_models

Value = TypeVar("Value")

_WEEK = timedelta(weeks=1)
_NO_ROWS: tuple[ModelRow, ...] = ()
_NO_ONSETS: tuple[Onset, ...] = ()


class Attempts:
    """Calls that may fail without taking the page with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, read: Callable[[], Value], otherwise: Value) -> Value:
        """Call `read`; on failure note the problem and return `otherwise`."""
        try:
            return read()
        except StorageError as error:  # the page is for everybody: no path
            self.problems.append(f"The storage cannot be read: {error.got}.")
            return otherwise
        except LikenessError as error:
            self.problems.append(str(error))
            return otherwise


def collect_status(params: Params, paths: Paths, *, now: datetime, storage_full: bool = False) -> Status:
    """Read what is known at `now`; `storage_full`: the service has found that it cannot write.

    A part that fails (the registry does not answer, the log's key is missing) is empty and named in `problems`.
    Warm and with MLflow in SQLite it takes a few tenths of a second; the first call imports MLflow. A registry that
    hangs is given up after eight seconds.
    """
    attempt = Attempts()
    name = params.registry.model_name
    versions = attempt(lambda: tuple(list_models(paths, name)), _NO_ROWS)
    state = attempt(lambda: champion_state(paths, name, champion_served(paths)), None) if not attempt.problems else None
    answers = not attempt.problems  # a hanging registry takes seconds to fail: one request is enough
    windows = judged_windows(paths)
    champion = (
        last_known_champion(windows)
        if state is None
        else champion_among(versions, params.watch.max_champion_weeks, now, state)
    )
    collected = Status(
        now=now,
        light="waiting",
        headline=(),
        champion=champion,
        versions=versions,
        bound=params.watch.min_recognition_accuracy,
        accuracy=accuracy_now(windows, champion.version),
        windows=windows,
        last_look=last_watch_run(paths),
        cycle=running_cycle(paths),
        challenge=attempt(lambda: current_challenge(params, paths, now=now), NO_CHALLENGE)
        if answers
        else UNKNOWN_CHALLENGE,
        onsets=attempt(lambda: measured_onsets(paths, versions), _NO_ONSETS) if answers else _NO_ONSETS,
        cost=attempt(lambda: recent_cost(params, paths), None),
        alerts=recent_alerts(paths),
        audit=attempt(lambda: last_verification(paths), None),
        storage=storage_state(params, paths, full=storage_full),
        registry=registry_page(name),
        problems=tuple(attempt.problems),
    )
    return collected.model_copy(update={"light": worst_light(collected), "headline": headline(collected)})


def registry_page(name: str, address: str = "") -> str:
    """Give the address of a registered model in MLflow's pages; "" where that of the pages is not known.

    Args:
        name: of the model.
        address: of the pages, where the settings name none.
    """
    settings = environment()
    server = settings.mlflow_uri if settings.mlflow_uri.startswith(("http://", "https://")) else ""
    pages = settings.mlflow_address or address or server
    return f"{pages.rstrip('/')}/#/models/{quote(name)}" if pages else ""


def champion_among(
    versions: Sequence[ModelRow], max_weeks: float, now: datetime, state: ChampionState | None = None
) -> Serving:
    """Find the champion among the versions; else the one of `state`, by default the shipped model."""
    row = next((row for row in versions if "champion" in row.aliases), None)
    since = row.promoted if row else None
    absent = state or ChampionState(SHIPPED, lost=False)
    return Serving(
        known=True,
        lost=row is None and absent.lost,
        version=row.version if row else absent.version,
        since=since,
        weeks=None if since is None else (now - since) / _WEEK,
        max_weeks=max_weeks,
        recognition_accuracy=row.recognition_accuracy if row else None,
        lpips_vs_telea=row.lpips_vs_telea if row else None,
        identity_distance_vs_telea=row.identity_distance_vs_telea if row else None,
    )


def last_known_champion(windows: Sequence[Window]) -> Serving:
    """Read the champion of the last judged window: all that is known while the registry does not answer."""
    version = windows[-1].champion if windows else SHIPPED
    nothing = dict.fromkeys(("since", "weeks", "recognition_accuracy", "lpips_vs_telea", "identity_distance_vs_telea"))
    return Serving(known=False, version=version, max_weeks=0.0, **nothing)
