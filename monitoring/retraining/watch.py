"""Judge each window of production traffic once, and say whether a cycle must start."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.face_networks.insightface_pack import short_name
from monitoring.champion import Champion, current_champion
from monitoring.drift.detect import Traffic, detect_drift
from monitoring.drift.identity_space import IdentityAggregate, merge_aggregates, space_name
from monitoring.drift.results import Drift
from monitoring.log.production_log import open_log
from monitoring.retraining.alarms import Alarm, alarms
from monitoring.retraining.mask_mix import mask_mix_overrides
from monitoring.retraining.policy import CycleRequest, ProductionState, may_start
from monitoring.retraining.recognition import Recognition, recognition_by_block
from monitoring.retraining.windows import (
    close_window,
    is_claimed,
    last_judged_row,
    open_window,
    watch_progress,
    window_folder,
    window_name,
)
from monitoring.simulation.baseline import prepare_baseline
from pipeline.config.load import Params
from pipeline.config.watch import WatchParams
from pipeline.project.files import write_text
from pipeline.project.paths import Paths


class Verdict(BaseModel):
    """The watch's answer for one window.

    `alarms` are all alarms for a person; `reasons` are those that must start a cycle; without any,
    `note` says why not. `overrides` change params.yaml for that cycle. Whoever starts it first calls
    `claim_window(paths, window_id, now)` and starts it only on True.
    """

    model_config = ConfigDict(frozen=True)

    window_id: str
    triggered: bool
    alarms: tuple[Alarm, ...]
    reasons: tuple[str, ...]
    note: str
    requests: int
    champion: str
    champion_weeks: float | None
    drift: Drift | None
    recognition: Recognition | None
    overrides: dict[str, Any]
    report_html: Path | None = None
    """Beside the file of the verdict, which does not name it."""


def watch(params: Params, paths: Paths, *, now: datetime) -> Verdict:
    """Judge the log's rows since the last judged window; writes state/drift/<window>/verdict.json.

    Only the champion's own rows are judged. With fewer than `watch.min_requests` of them the window stays open:
    the verdict is "not enough traffic" - unless the champion is too old, which needs no traffic, or the last window's
    trigger was never claimed (its cycle could not start), which is then returned again.
    """
    champion = current_champion(params, paths, now=now)
    rows = open_window(paths)
    own = rows[rows["model_version"] == champion.version]
    if len(own) < params.watch.min_requests:
        return _pending_verdict(paths, champion) or _verdict_on_little_traffic(params, paths, champion, len(own), now)
    traffic = Traffic(own, _merge_identities(params, paths, champion, int(rows["sequence"].iloc[-1])))
    expected = prepare_baseline(params, paths, champion)
    verdict = judge(params, paths, champion, traffic, expected, window_name(rows), now=now)
    _write(paths, verdict)
    close_window(paths, verdict.window_id, int(rows["sequence"].iloc[-1]))
    return verdict


def judge(
    params: Params,
    paths: Paths,
    champion: Champion,
    traffic: Traffic,
    expected: Traffic,
    window_id: str,
    *,
    now: datetime,
) -> Verdict:
    """Judge a window against the baseline; writes the drift report, claims nothing."""
    folder = window_folder(paths, window_id)
    drifted = detect_drift(traffic, expected, params.watch, folder=folder, workspace=paths.evidently_workspace, now=now)
    accuracy = _recognition(params.watch, paths, champion, now)
    raised = alarms(drifted, accuracy, champion, params.watch)
    reasons = _reasons(raised)
    return Verdict(
        window_id=window_id,
        triggered=bool(reasons),
        alarms=tuple(raised),
        reasons=reasons,
        note="" if reasons else _note(raised),
        requests=len(traffic.rows),
        champion=champion.version,
        champion_weeks=champion.weeks,
        drift=drifted,
        recognition=accuracy,
        overrides=mask_mix_overrides(traffic.rows, params.masks, params.watch.traffic_weight, champion.version),
        report_html=folder / "report.html",
    )


def verdict_of(paths: Paths, window_id: str) -> Verdict | None:
    """Read what `watch` wrote about a window; None if it wrote nothing."""
    path = _file(paths, window_id)
    if not path.is_file():
        return None
    report = path.with_name("report.html")  # beside it, wherever the state lies
    found = Verdict.model_validate_json(path.read_text(encoding="utf-8"))
    return found.model_copy(update={"report_html": report if report.is_file() else None})


def cycle_request_of(verdict: Verdict) -> CycleRequest:
    """Build the cycle request that a window's verdict makes."""
    return CycleRequest(verdict.window_id, verdict.reasons, verdict.champion)


def _reasons(raised: Sequence[Alarm]) -> tuple[str, ...]:
    return tuple(alarm.reason for alarm in raised if alarm.starts_cycle)


def _note(raised: Sequence[Alarm]) -> str:
    if not raised:
        return "traffic looks like the baseline"
    return f"no cycle, retraining would not help: {'; '.join(alarm.reason for alarm in raised)}"


def _merge_identities(params: Params, paths: Paths, champion: Champion, last_sequence: int) -> IdentityAggregate | None:
    """Merge the champion's identity aggregates between the last window and the last row of this one.

    Those of another encoder's space, from before the parameters named this one, are left out.
    """
    space = space_name(params.watch.identity, short_name(params.identity.training))
    with open_log(paths) as log:
        entries = log.entries("identity", after=last_judged_row(paths, log))
    own = [entry for entry in entries if entry.key == champion.version and entry.sequence <= last_sequence]
    aggregates = [IdentityAggregate.model_validate(entry.body) for entry in own]
    return merge_aggregates(part for part in aggregates if part.space == space)


def _recognition(limits: WatchParams, paths: Paths, champion: Champion, now: datetime) -> Recognition:
    """Measure recognition over the champion's requests of the last weeks, with all feedback so far."""
    settings = limits.recognition
    with open_log(paths) as log:
        rows = log.window(now - timedelta(days=settings.days), now)
    return recognition_by_block(
        rows[rows["model_version"] == champion.version],
        now,
        at_least=limits.min_recognition_accuracy,
        error=settings.error,
        days=settings.days,
    )


def _pending_verdict(paths: Paths, champion: Champion) -> Verdict | None:
    """Find the last window's verdict, if it requests a cycle that was not started and its champion still serves."""
    progress = watch_progress(paths)
    verdict = verdict_of(paths, progress.window_id) if progress else None
    if verdict is None:
        return None
    state = ProductionState(champion.version, is_claimed(paths, verdict.window_id))
    return verdict if may_start(cycle_request_of(verdict), state) == "start" else None


def _verdict_on_little_traffic(
    params: Params, paths: Paths, champion: Champion, requests: int, now: datetime
) -> Verdict:
    """Build the verdict for too little traffic. Age alone may trigger: once per champion and calendar week."""
    week = now.isocalendar()
    window_id = f"age-{champion.version}-{week.year}-{week.week:02d}"
    raised = alarms(None, None, champion, params.watch) if not is_claimed(paths, window_id) else []
    due = _reasons(raised)
    verdict = Verdict(
        window_id=window_id if due else "",
        triggered=bool(due),
        alarms=tuple(raised),
        reasons=due,
        note=f"not enough traffic: {requests} requests, needs {params.watch.min_requests}",
        requests=requests,
        champion=champion.version,
        champion_weeks=champion.weeks,
        drift=None,
        recognition=None,
        overrides={"champion.version": champion.version},
        report_html=None,
    )
    if due:
        _write(paths, verdict)
    return verdict


def _write(paths: Paths, verdict: Verdict) -> None:
    write_text(_file(paths, verdict.window_id), verdict.model_dump_json(indent=2, exclude={"report_html"}))


def _file(paths: Paths, window_id: str) -> Path:
    return window_folder(paths, window_id) / "verdict.json"
