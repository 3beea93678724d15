"""Comparisons of models: the A/B test under way, and the onset of hallucination over the versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from monitoring.log.production_log import open_log
from monitoring.status.log import log_exists
from monitoring.status.model import ArmFigures, Challenge, Onset
from pipeline.ablation.results import AblateReport
from pipeline.config.load import Params
from pipeline.project.files import read_report
from pipeline.project.paths import Paths
from pipeline.registry.client import EXPERIMENT, connect, translate_outages
from pipeline.registry.versions import ModelRow, has_no_database

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from monitoring.ab.verdict import AbVerdict

NO_CHALLENGE = Challenge(on=False, state="none", challenger="", sentence="No A/B test is on.", counts={}, figures=())
UNKNOWN_CHALLENGE = NO_CHALLENGE.model_copy(
    update={"state": "unknown", "sentence": "Not known: the model registry does not answer."}
)

_METRIC = "ablate.onset.independent"
_VERSION = "ablate.version"


def current_challenge(params: Params, paths: Paths, *, now: datetime) -> Challenge:
    """Describe the running A/B test, or the last one that ended; reads the log's rows only while one runs."""
    from monitoring.ab.experiment import running_test
    from monitoring.ab.record import ended_tests, unfinished_verdict
    from monitoring.ab.verdict import judge

    if not log_exists(paths):
        return NO_CHALLENGE
    with open_log(paths) as log:
        waiting, over = unfinished_verdict(log), ended_tests(log)
    if waiting is not None:
        return _as_challenge(waiting, f"{_ended(waiting)} Likeness is about to act on it.")
    if running_test(params, paths) is not None:
        verdict = judge(params, paths, now=now)
        tried = f"{params.ab.share:.0%} of the people are served by version {verdict.challenger}, on trial"
        return _as_challenge(verdict, f"{tried}: {verdict.reason}.")
    if over:
        return _as_challenge(over[-1][0], _ended(over[-1][0])).model_copy(update={"on": False})
    return NO_CHALLENGE


def _ended(verdict: "AbVerdict") -> str:
    return f"The trial of version {verdict.challenger} against {verdict.champion} ended: {verdict.reason}."


def _as_challenge(verdict: "AbVerdict", sentence: str) -> Challenge:
    return Challenge(
        on=True,
        state=verdict.state,
        challenger=verdict.challenger,
        sentence=sentence,
        counts=verdict.subjects,
        figures=tuple(
            ArmFigures(
                name=effect.name,
                unit=effect.unit,
                better=effect.better,
                champion=effect.mean_champion,
                challenger=effect.mean_challenger,
                effect=effect.effect,
                low=effect.low,
                high=effect.high,
            )
            for effect in verdict.effects
        ),
    )


def measured_onsets(paths: Paths, versions: Sequence[ModelRow]) -> tuple[Onset, ...]:
    """Read onsets by version, oldest first, from `likeness ablate`; None for versions that were not studied."""
    measured = _of_registry(paths) | _of_report(paths)
    names = ["shipped", *sorted((row.version for row in versions), key=int)]
    names = [name for name in names if name != "shipped" or name in measured or not versions]
    return tuple(measured.get(name, Onset(version=name, value=None, low=None, high=None)) for name in names)


def _of_report(paths: Paths) -> dict[str, Onset]:
    if not paths.ablation_report.is_file():
        return {}
    report = read_report(paths.ablation_report, AblateReport, "ablate")
    if report.onset is None:
        return {}
    crossing = report.onset.onsets["champion"]["independent"].crossing
    return {report.version: Onset(version=report.version, value=crossing.value, low=crossing.low, high=crossing.high)}


def _of_registry(paths: Paths) -> dict[str, Onset]:
    """Read what earlier studies logged in MLflow: the value alone, the latest of each version."""
    if has_no_database(paths):
        return {}
    client = connect(paths)
    with translate_outages(client.tracking_uri):
        return _studied(client)


def _studied(client: "MlflowClient") -> dict[str, Onset]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    query = f"metrics.`{_METRIC}` > 0"
    runs = client.search_runs([experiment.experiment_id], query, order_by=["attributes.start_time ASC"])
    values = {run.data.tags.get(_VERSION, ""): run.data.metrics[_METRIC] for run in runs}
    return {name: Onset(version=name, value=value, low=None, high=None) for name, value in values.items() if name}
