"""Alarms of the watch: their causes, what a person should do, and whether a cycle may help."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from monitoring.champion import Champion
from monitoring.drift.columns import GROUP_OF, Group
from monitoring.drift.results import ColumnDrift, Drift
from monitoring.retraining.policy import retraining_may_help
from monitoring.retraining.recognition import Recognition
from pipeline.config.watch import AlarmGroup, WatchParams

WHAT_TO_DO: dict[AlarmGroup, str] = {
    "inputs": "Look at the drift report: have light, scanners, sizes or poses changed? A cycle takes in new portraits; "
    "if the photos themselves have become worse, fix their source.",
    "masks": "Nothing, if a cycle starts: it moves the training masks to what production sees. If the damage finder "
    "was changed, check its masks first.",
    "outputs": "Compare restorations of this window with earlier ones before you trust them; let the cycle run, or go "
    "back with `likeness rollback` if a promotion came just before.",
    "identity": "Other people than those the champion was measured on: check the slices in the evaluation report for "
    "them, and add portraits of such people before the next cycle.",
    "detector": "Check the face detector: its weights, its version, the rotation and size of the photos that reach it. "
    "Retraining the restorer does not help.",
    "missing": "Figures that the baseline has are not there: check what writes the log, that faces and their "
    "landmarks are found, and that rows from elsewhere have all columns. Retraining does not help.",
    "recognition": "People are no longer recognised often enough. Until the cycle's model is promoted, consider a "
    "lower restore.max_identity_risk, so that more photos are refused or left in part.",
    "age": "Nothing, unless one cycle after another fails: then read their gate reports.",
}
_MAX_NAMED = 4


class Alarm(BaseModel):
    """One alarm. `columns` are empty where no column is meant; `starts_cycle`: retraining may help."""

    model_config = ConfigDict(frozen=True)

    group: AlarmGroup
    columns: tuple[str, ...]
    reason: str
    what_to_do: str
    starts_cycle: bool


def alarms(drift: Drift | None, accuracy: Recognition | None, champion: Champion, limits: WatchParams) -> list[Alarm]:
    """List all alarms of a window, drift first."""
    reasons = {
        **(_drift_reasons(drift) if drift else {}),
        **(_accuracy_reason(accuracy, limits) if accuracy else {}),
        **_age_reason(champion, limits),
    }
    return [
        Alarm(
            group=group,
            columns=columns,
            reason=reason,
            what_to_do=WHAT_TO_DO[group],
            starts_cycle=retraining_may_help(group, reasons, limits.starts_cycle),
        )
        for group, (columns, reason) in reasons.items()
    ]


Reasons = dict[AlarmGroup, tuple[tuple[str, ...], str]]


def _drift_reasons(drift: Drift) -> Reasons:
    groups: Sequence[Group] = tuple(dict.fromkeys(GROUP_OF.values()))
    drifted = {group: drift.drifted(group) for group in groups}
    return {group: (names, _describe_drift(group, names, drift.columns)) for group, names in drifted.items() if names}


def _describe_drift(group: str, names: Sequence[str], columns: dict[str, ColumnDrift]) -> str:
    facts = [
        f"{name} (p {columns[name].p_adjusted:.1g}, effect {columns[name].effect:.2f})" for name in names[:_MAX_NAMED]
    ]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"{group} drifted: {', '.join(facts)}{more}"


def _accuracy_reason(recognition: Recognition, limits: WatchParams) -> Reasons:
    if not recognition.below or recognition.accuracy is None:
        return {}
    reason = (
        f"recognition accuracy {recognition.accuracy:.1%} [{recognition.low:.1%}, {recognition.high:.1%}] "
        f"over {recognition.judged} requests "
        f"is below {limits.min_recognition_accuracy:.0%} ({1 - limits.recognition.error:.0%} sure)"
    )
    return {"recognition": ((), reason)}


def _age_reason(champion: Champion, limits: WatchParams) -> Reasons:
    if champion.weeks is None or champion.weeks <= limits.max_champion_weeks:
        return {}
    reason = f"champion {champion.version} is {champion.weeks:.1f} weeks old (limit {limits.max_champion_weeks:g})"
    return {"age": ((), reason)}
