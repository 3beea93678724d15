"""States of a production for tests of the status page, written as figures; the lights and words are computed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.retraining.recognition import wilson_interval
from monitoring.status.collect import champion_among, last_known_champion
from monitoring.status.experiments import NO_CHALLENGE, UNKNOWN_CHALLENGE
from monitoring.status.model import (
    Accuracy,
    AlertLine,
    ArmFigures,
    Audit,
    Challenge,
    Cost,
    Cycle,
    Finding,
    Onset,
    Status,
    Storage,
    Window,
)
from monitoring.status.windows import accuracy_now
from monitoring.status.wording import headline, worst_light
from pipeline.registry.versions import ModelRow

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
IDLE = Cycle(running=False, since=None, stage="", reason="")


def version(number: int, days: float, gate: str = "passed", *aliases: str) -> ModelRow:
    """A registered version, `days` old; promoted if it passed."""
    made = NOW - timedelta(days=days)
    return ModelRow(
        version=str(number),
        aliases=aliases,
        gate=gate,
        created=made,
        promoted=made if gate == "passed" and "challenger" not in aliases else None,
        data_digest="d",
        git_revision="r",
        weights_sha256="w",
        recognition_accuracy=0.97,
        lpips_vs_telea=0.42,
        identity_distance_vs_telea=0.61,
    )


def judged(recognised: int, of: int = 60) -> Accuracy:
    """So many of so many recognised, with the Wilson interval; below where all of it is under 0.80."""
    low, high = wilson_interval(recognised, of)
    return Accuracy(
        recognised=recognised, judged=of, value=recognised / of, low=low, high=high, below=high < 0.8,
        since=NOW - timedelta(days=6),
    )  # fmt: skip


def window(number: int, champion: str, recognised: int, drifted: tuple[str, ...] = (), **changes: Any) -> Window:
    """A window of 500 requests of which 60 were judged, an hour each."""
    facts: dict[str, Any] = {
        "window_id": f"{500 * number + 1:08d}-{500 * number + 500:08d}",
        "at": NOW - timedelta(hours=40 - number),
        "champion": champion,
        "requests": 500,
        "triggered": False,
        "claimed": False,
        "findings": (),
        "drifted": drifted,
        "columns": 18,
        "frechet": 0.02,
        "accuracy": judged(recognised),
    }
    return Window(**(facts | changes))


def made(**changes: Any) -> Status:
    """A status with its light and words; nothing has happened yet unless `changes` say so."""
    versions, windows = changes.get("versions", ()), changes.get("windows", ())
    champion = champion_among(versions, 12.0, NOW)
    facts: dict[str, Any] = {
        "now": NOW, "light": "waiting", "headline": (), "champion": champion, "versions": versions, "bound": 0.8,
        "accuracy": accuracy_now(windows, champion.version), "windows": windows, "last_look": None, "cycle": IDLE,
        "challenge": NO_CHALLENGE, "onsets": (), "cost": None, "alerts": (), "audit": None, "problems": (),
        "storage": Storage(free_mebibytes=5e4, low=False, full=False),
    }  # fmt: skip
    found = Status(**(facts | changes))
    return found.model_copy(update={"light": worst_light(found), "headline": headline(found)})


def empty() -> Status:
    """A fresh install."""
    return made()


COST = Cost(
    requests=1_812, restoration_seconds=0.42, verification_seconds=0.13,
    per_1000_restorations=0.0047, per_1000_verifications=0.0014, currency="USD",
)  # fmt: skip
TRIAL = Challenge(
    on=True, state="running", challenger="4", counts={"champion": 812, "challenger": 790},
    sentence="50% of the people are served by version 4, on trial: nothing is proven yet.",
    figures=(
        ArmFigures(
            name="identity", unit="cosine", better="higher", champion=0.71, challenger=0.714,
            effect=0.004, low=-0.009, high=0.017,
        ),
    ),
)  # fmt: skip
MASKS = Finding(group="masks", reason="area, coverage and kind drifted", what_to_do="Nothing, if a cycle starts.")
LOST = Finding(group="recognition", reason="accuracy 58 % is below 80 %", what_to_do="Lower restore.max_identity_risk.")
SENT = AlertLine(time=NOW - timedelta(days=17), code="masks", title="Masks drifted", what_to_do="Nothing.")


def normal() -> Status:
    """Some weeks in production: four versions, one failed, a quiet champion, a trial under way."""
    hits = (58, 59, 57, 60, 58, 56, 58, 59, 58, 57, 59, 58, 60, 57, 58, 59, 56, 58, 59, 58)
    drifts = {5: ("brightness",), 8: ("area", "coverage", "missing_features", "kind"), 15: ("yaw",)}
    windows = [window(n, "2" if n > 8 else "1", hit, drifts.get(n, ())) for n, hit in enumerate(hits)]
    windows[8] = windows[8].model_copy(update={"triggered": True, "claimed": True, "findings": (MASKS,)})
    return made(
        versions=(
            version(4, 0.2, "passed", "challenger"),
            version(3, 9.0, "failed"),
            version(2, 17.0, "passed", "champion"),
            version(1, 38.0, "passed", "previous"),
        ),
        windows=tuple(windows),
        challenge=TRIAL,
        onsets=(
            Onset(version="1", value=0.27, low=0.22, high=0.31),
            Onset(version="2", value=0.31, low=0.27, high=0.35),
            Onset(version="3", value=None, low=None, high=None),
            Onset(version="4", value=0.33, low=0.28, high=0.38),
        ),
        cost=COST,
        alerts=(SENT,),
        audit=Audit(time=NOW - timedelta(hours=9), intact=True, entries=12_044),
    )


def alarming() -> Status:
    """The champion loses people's identity, the traffic changed, and a retraining is under way."""
    quiet = normal()
    changed = ("area", "coverage", "missing_features", "face_size", "mode")
    bad = [window(20 + n, "2", hit, changed, triggered=True, findings=(LOST,)) for n, hit in enumerate((41, 37, 35))]
    told = SENT.model_copy(update={"time": NOW - timedelta(minutes=14), "title": "Recognition is below 80 %"})
    return made(
        versions=quiet.versions[1:],
        windows=(*quiet.windows, *bad),
        cycle=Cycle(running=True, since=NOW - timedelta(minutes=12), stage="train", reason="drift"),
        onsets=quiet.onsets[:1],
        cost=COST,
        alerts=(told, SENT),
        audit=quiet.audit,
        problems=("expected MLflow at http://mlflow:5000, got Connection refused; start the server",),
    )


def silent() -> Status:
    """As `normal`, while the model registry does not answer."""
    windows = normal().windows
    return made(
        champion=last_known_champion(windows), windows=windows, challenge=UNKNOWN_CHALLENGE, accuracy=normal().accuracy,
        problems=("expected MLflow at http://mlflow:5000, got timed out; start the server",),
    )  # fmt: skip
