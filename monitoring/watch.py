"""The watch: judges each window of production traffic once and says whether a cycle must start."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monitoring.champion import Champion, current_champion
from monitoring.drift import Drift, drift
from monitoring.recognition import Recognition, recognition
from monitoring.reference import reference
from monitoring.traffic_profile import overrides
from monitoring.windows import (
    close_window,
    is_claimed,
    last_judged,
    open_window,
    window_folder,
    window_name,
    write_whole,
)
from pipeline.config import Params, WatchParams
from pipeline.layout import Paths


class Verdict(BaseModel):
    """The watch's answer for one window.

    `reasons` say why a cycle must start; without any, `note` says why not. `overrides` change params.yaml for that
    cycle. Whoever starts it first calls `claim_window(paths, window_id, now)` and starts it only on True.
    """

    model_config = ConfigDict(frozen=True)

    window_id: str
    triggered: bool
    reasons: tuple[str, ...]
    note: str
    requests: int
    champion: str
    champion_weeks: float | None
    drift: Drift | None
    recognition: Recognition | None
    overrides: dict[str, Any]
    report_html: Path | None


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
        return _pending(paths, champion) or _thin(params, paths, champion, len(own), now)
    verdict = judge(params, paths, champion, own, reference(params, paths, champion), window_name(rows), now=now)
    _write(paths, verdict)
    close_window(paths, verdict.window_id, int(rows["sequence"].iloc[-1]))
    return verdict


def judge(
    params: Params,
    paths: Paths,
    champion: Champion,
    rows: pd.DataFrame,
    expected: pd.DataFrame,
    window_id: str,
    *,
    now: datetime,
) -> Verdict:
    """The verdict over rows of the log against the reference rows; writes the drift report, claims nothing."""
    limits = params.watch
    folder = window_folder(paths, window_id)
    found = drift(rows, expected, limits, folder=folder, workspace=paths.evidently_workspace, now=now)
    accuracy = recognition(rows, at_least=limits.min_recognition_accuracy, min_judged=limits.min_values)
    reasons = (*_drift_reasons(found, limits), *_accuracy_reasons(accuracy, limits), *_age_reasons(champion, limits))
    return Verdict(
        window_id=window_id,
        triggered=bool(reasons),
        reasons=reasons,
        note="" if reasons else "traffic looks like the reference",
        requests=len(rows),
        champion=champion.version,
        champion_weeks=champion.weeks,
        drift=found,
        recognition=accuracy,
        overrides=overrides(rows, params.masks, limits.traffic_weight, champion.version),
        report_html=folder / "report.html",
    )


def _drift_reasons(found: Drift, limits: WatchParams) -> list[str]:
    drifted = [name for name, column in found.columns.items() if column.drifted]
    reasons = []
    if found.share > 0 and found.share >= limits.drift_share:
        reasons.append(
            f"{found.share:.0%} of the columns drifted (limit {limits.drift_share:.0%}): {', '.join(drifted)}"
        )
    if found.mask_share > 0 and found.mask_share >= limits.mask_share:
        masks = [name for name in drifted if name in limits.mask_columns]
        reasons.append(
            f"{found.mask_share:.0%} of the mask columns drifted (limit {limits.mask_share:.0%}): {', '.join(masks)}"
        )
    return reasons


def _accuracy_reasons(found: Recognition, limits: WatchParams) -> list[str]:
    if not found.below:
        return []
    return [
        f"recognition accuracy {found.accuracy:.1%} [{found.low:.1%}, {found.high:.1%}] over {found.judged} requests "
        f"is below {limits.min_recognition_accuracy:.0%}"
    ]


def _age_reasons(champion: Champion, limits: WatchParams) -> list[str]:
    if champion.weeks is None or champion.weeks <= limits.max_champion_weeks:
        return []
    return [f"champion {champion.version} is {champion.weeks:.1f} weeks old (limit {limits.max_champion_weeks:g})"]


def _pending(paths: Paths, champion: Champion) -> Verdict | None:
    """The last window's verdict, if it called for a cycle that nobody has started and its champion still stands."""
    judged = last_judged(paths)
    path = window_folder(paths, judged.window_id) / "verdict.json" if judged else None
    if judged is None or path is None or not path.is_file() or is_claimed(paths, judged.window_id):
        return None
    verdict = Verdict.model_validate_json(path.read_text(encoding="utf-8"))
    return verdict if verdict.triggered and verdict.champion == champion.version else None


def _thin(params: Params, paths: Paths, champion: Champion, requests: int, now: datetime) -> Verdict:
    """Too little traffic to compare. Age alone may still trigger: once per champion and calendar week."""
    week = now.isocalendar()
    window_id = f"age-{champion.version}-{week.year}-{week.week:02d}"
    due = _age_reasons(champion, params.watch) if not is_claimed(paths, window_id) else []
    verdict = Verdict(
        window_id=window_id if due else "",
        triggered=bool(due),
        reasons=tuple(due),
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
    write_whole(window_folder(paths, verdict.window_id) / "verdict.json", verdict.model_dump_json(indent=2))
