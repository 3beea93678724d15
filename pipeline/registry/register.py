"""Register the trained weights as a version in MLflow's registry, with everything needed to judge it later."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from models.errors import PromotionError
from models.weight_files import weights_sha256
from pipeline.config.load import Params
from pipeline.evaluation.gate_report import GateReport
from pipeline.evaluation.results import EvaluateReport
from pipeline.project.files import read_report
from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.champion import read_champion
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.data_sets import NAME, short_digest
from pipeline.registry.lineage import collect_provenance
from pipeline.registry.model_card import CardFacts, model_card
from pipeline.registry.packing import packed
from pipeline.registry.promotion import promotion_lock
from pipeline.registry.signature import input_example, signature
from pipeline.registry.user_study_tag import required_tags
from pipeline.registry.versions import aliases_of, find_version

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models.model import ModelInfo


class Registered(BaseModel):
    """A new version in the registry."""

    model_config = ConfigDict(frozen=True)

    model_name: str
    version: str
    uri: str
    run_id: str
    gate_passed: bool


def register(*, paths: Paths, params: Params) -> Registered:
    """Register data/training/weights.safetensors with its card and tags; the alias `challenger` moves to it.

    The version carries the gate's outcome, passed or not: it is `promote` that refuses. One that did not pass takes
    the alias from no challenger that is in an A/B test.

    Raises:
        DataError: training, evaluation or gate left no report.
        PromotionError: the gate judged other weights than those in data/training.
        ServiceUnavailable: MLflow does not answer.
    """
    facts = _facts(paths, params)
    run_id = tracking.current_run(paths)
    client = connect(paths)
    card = model_card(facts)
    with translate_outages(client.tracking_uri):
        logged = _log_model(run_id, paths.trained_weights, params, card)
        _log_figures(client, run_id, logged.model_id, facts)
        name = params.registry.model_name
        _ensure_registered(client, name)
        tags = _tags(facts)
        created = client.create_model_version(
            name, logged.model_uri, run_id, tags=tags, description=card, model_id=logged.model_id
        )
    with promotion_lock(paths), translate_outages(client.tracking_uri):
        if facts.gate.passed or not _in_test(client, name):
            client.set_registered_model_alias(name, "challenger", created.version)
    number = str(created.version)
    return Registered(
        model_name=name, version=number, uri=f"models:/{name}/{number}", run_id=run_id, gate_passed=facts.gate.passed
    )


def _facts(paths: Paths, params: Params) -> CardFacts:
    from models.restorer_file import read_face_model  # with PyTorch, which flows start without

    evaluation = read_report(paths.evaluation_report, EvaluateReport, stage="evaluate")
    gate = read_report(paths.gate_report, GateReport, stage="gate")
    champion = read_champion(paths).version
    digest = weights_sha256(paths.trained_weights)
    if digest != gate.challenger:
        remedy = "run the stages evaluate and gate again"
        raise PromotionError(f"weights that the gate judged ({gate.challenger[:12]})", digest[:12], remedy)
    people = float(read_face_model(paths.trained_weights).tensors["faces"])
    return CardFacts(params, collect_provenance(paths), evaluation, gate, champion, people)


def _tags(facts: CardFacts) -> dict[str, str]:
    failed = [row.name for row in facts.gate.rows if row.verdict != "pass"]
    total = len(facts.gate.rows)
    summary = f"{total - len(failed)} of {total} criteria" + (f"; not {', '.join(failed)}" if failed else "")
    return {
        **facts.origin.tags(),
        "weights_sha256": facts.gate.challenger,
        "gate": "passed" if facts.gate.passed else "failed",
        "gate_summary": summary,
        "started_from": facts.champion,
        **required_tags(facts.params.study),
        **_figures(facts.evaluation.summary),
    }


def _figures(summary: Mapping[str, float | None]) -> dict[str, str]:
    """Select the figures that `likeness models` shows; those that were not measured are left out."""
    figures = {
        "recognition_accuracy": summary.get("recognised_independent"),
        "lpips_vs_telea": summary.get("lpips_vs_telea"),
        "identity_distance_vs_telea": summary.get("identity_distance_independent_vs_telea"),
    }
    return {name: f"{value:.6g}" for name, value in figures.items() if value is not None}


def _log_model(run_id: str, weights: Path, params: Params, card: str) -> "ModelInfo":
    """Log all that the model needs into the run; returns what MLflow knows of the logged model."""
    import mlflow

    with packed(weights, params.restore, params.identity) as files, mlflow.start_run(run_id=run_id), _no_bytecode():
        mlflow.log_text(card, "model_card.md")
        return mlflow.pyfunc.log_model(
            name="restorer",
            signature=signature(),
            input_example=input_example(params.restore.files.min_side),
            **vars(files),
        )


def _log_figures(client: "MlflowClient", run_id: str, model_id: str, facts: CardFacts) -> None:
    """Log the evaluation's figures once more, as those of this model on these portraits."""
    from mlflow.entities import Metric

    now, data_set = int(time.time() * 1000), (NAME, short_digest(facts.origin.data_digest))
    figures = facts.evaluation.tracked().items()
    client.log_batch(run_id, [Metric(name, value, now, 0, model_id, *data_set, run_id) for name, value in figures])


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """Write no bytecode in the block: MLflow imports the code where it stores it, and would store a __pycache__."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _in_test(client: "MlflowClient", model_name: str) -> bool:
    """Check whether there are a registered champion and a challenger that passed the gate to be compared."""
    aliases = aliases_of(client, model_name)
    if not {"champion", "challenger"} <= aliases.keys():
        return False
    tags = find_version(client, model_name, aliases["challenger"]).tags
    return bool(tags.get("gate") == "passed" and tags.get("ab") != "ended")


def _ensure_registered(client: "MlflowClient", model_name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(model_name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
