"""The deployed loop, run for real: the watch's event, a queue of cycles, and a person's word.

Prefect's server, worker and supervisor are real; only the stages, and DVC around them, cost nothing. The tests follow
one another: what one leaves is where the next begins.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from flows.deployment.events import DRIFT, FINISHED, emit
from flows.local.supervisor import Supervisor
from monitoring.log.production_log import open_log
from monitoring.retraining.watch import Verdict
from monitoring.retraining.windows import is_claimed, last_watch_run
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.registry.versions import aliases_of, find_version
from pipeline.workspaces.cycle_checkouts import cycle_in_use, cycle_records
from tests.flows.prefect_runs import asked, becomes, deployed, runs, started, told
from tests.flows.prefect_site import began, project, until
from tests.monitoring.ab.rows import ab_rows
from tests.monitoring.conftest import evaluated
from tests.monitoring.traffic import faces, rows_of, traffic
from tests.pipeline.registry.site import NAME, lay_out

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """Prefect, a worker and the deployments of a project that has data, and a reference for its shipped model."""
    folder = tmp_path_factory.mktemp("deployed") / "project"
    paths = project(folder, cycles=2, dvc=False, **{"operate.when_busy": "queue", "ab.approval": True})
    with deployed(paths, PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS="1") as supervisor:
        measured(paths)
        yield supervisor


def measured(paths: Paths) -> None:
    """The reference that the watch would measure at its first look, and what that look needs to know."""
    from monitoring.champion import current_champion
    from monitoring.simulation.baseline import reference_path

    evaluated(paths, threshold=0.4)
    paths.portraits.mkdir(parents=True)
    pd.DataFrame({"portrait_id": ["a", "b"], "split": ["test", "train"]}).to_parquet(paths.portrait_rows)
    params = load_params(paths.params)
    path = reference_path(params, paths, current_champion(params, paths, now=datetime.now(UTC)))
    path.parent.mkdir(parents=True)
    traffic(200, seed=0).to_parquet(path)
    path.with_suffix(".identity.json").write_text(faces(160, seed=0).model_dump_json())


def test_drift_that_the_deployed_watch_finds_starts_one_cycle_with_its_reason_and_changes(up: Supervisor) -> None:
    from flows.watch import watch

    (up.paths.state / "hold").touch()
    with open_log(up.paths) as log:
        log.append(rows_of(traffic(120, seed=1, shift="larger-masks")))
    becomes(started("watch/production"), "Completed")
    until(lambda: began(up.paths) == 1, 240, "a cycle has begun", cycles)
    with asked():
        again = watch(up.paths.production, by_event=True).verdict
    assert (again.triggered, again.note) == (False, "not enough traffic: 0 requests, needs 60")
    (file,) = up.paths.drift.glob("*/verdict.json")
    verdict = Verdict.model_validate_json(file.read_bytes())
    (run,) = cycles()
    assert (verdict.triggered, is_claimed(up.paths, verdict.window_id)) == (True, True)
    assert verdict.reasons[0].startswith("masks drifted: coverage")
    assert run.parameters["reason"] == "; ".join(verdict.reasons)
    assert run.parameters["overrides"] == verdict.overrides
    assert run.parameters["window_id"] == verdict.window_id == "00000001-00000120"


def test_another_window_queues_behind_the_running_cycle_and_has_the_next_one(up: Supervisor) -> None:
    emit(DRIFT, "likeness.window.later", {"window_id": "later", "reason": "later", "overrides": {}})
    until(lambda: cycles()[-1].state.name == "AwaitingConcurrencySlot", 120, "it queues", cycles, pause=1.0)
    assert began(up.paths) == 1
    (up.paths.state / "hold").unlink()
    until(lambda: all(run.state.is_final() for run in cycles()), 400, "both are done", cycles, pause=2.0)
    first, second = cycles()
    assert (first.state.name, second.state.name) == ("Completed", "Completed")
    assert second.start_time >= first.end_time
    assert began(up.paths) == 2
    assert [(done.version, done.reason, done.adopted) for done in cycle_records(up.paths)] == [
        ("1", first.parameters["reason"], True),  # the shipped model was nobody's choice
        ("2", "later", False),
    ]
    assert load_params(up.paths.params).masks.training.bucket_weights[-1] > 1
    until(lambda: len(told(FINISHED)) >= 2, 60, "the server has written down what it was told", pause=1.0)
    ended = [(event["payload"]["version"], event["payload"]["awaiting"]) for event in told(FINISHED)]
    assert sorted(ended) == [("1", ""), ("2", "1-vs-2")]
    assert len(told(DRIFT)) == 2  # of the first window once: its second look knew that it was claimed


def cycles() -> list[Any]:
    """Runs of the cycle, oldest first."""
    return runs("cycle/production")


def test_a_winner_waits_in_one_form_and_is_promoted_when_it_is_approved(
    up: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.flow_runs import resume_flow_run

    serve_both(up.paths, "1", "2")
    form = started("ab-verdict/production")
    becomes(form, "Suspended")
    assert another_look(up.paths, monkeypatch) == (None, True)  # nor does it hold up the hourly look
    (waiting,) = runs("ab-verdict/production")
    assert (waiting.state.name, waiting.state.state_details.pause_timeout) == ("Suspended", None)  # as long as it takes
    with asked():
        with pytest.raises(RuntimeError, match="'perhaps' is not of type 'boolean'"):
            resume_flow_run(form.id, run_input={"approve": "perhaps"})
        resume_flow_run(form.id, run_input={"approve": True, "by": "anna"})
    becomes(form, "Completed")
    assert aliases(up.paths) == {"champion": "2", "previous": "1"}
    assert cycle_in_use(up.paths) == cycle_records(up.paths)[-1].cycle
    assert steps(up.paths)[-2:] == [
        {"step": "answer", "approved": True, "by": "anna"},
        {"step": "action", "action": "promoted", "champion": "2"},
    ]


def test_a_winner_that_is_not_approved_is_retired(up: Supervisor) -> None:
    from prefect.flow_runs import resume_flow_run

    challenge(up.paths, "3")
    serve_both(up.paths, "2", "3")
    form = started("ab-verdict/production")
    becomes(form, "Suspended")
    with asked():
        resume_flow_run(form.id, run_input={"approve": False, "by": "anna"})
    becomes(form, "Completed")
    assert aliases(up.paths) == {"champion": "2", "previous": "1"}
    assert find_version(_registry(up.paths), NAME, "3").tags["ab_outcome"] == "rejected"


def test_an_answer_by_command_withdraws_the_form(up: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.main import likeness

    challenge(up.paths, "4")
    serve_both(up.paths, "2", "4")
    form = started("ab-verdict/production")
    becomes(form, "Suspended")
    with asked():  # without the server's address the command would start one of its own
        done = CliRunner().invoke(likeness, ["ab", "--approve", "--root", str(up.paths.root)])
    assert "version 4 was promoted" in done.output
    assert aliases(up.paths)["champion"] == "4"
    assert another_look(up.paths, monkeypatch) == (None, False)
    becomes(form, "Cancelled")


def test_housekeeping_completes_and_a_watch_that_fails_is_told(up: Supervisor) -> None:
    becomes(started("housekeeping/production"), "Completed")
    assert last_watch_run(up.paths) is not None  # of the first test
    (up.paths.state / "watch.json").write_text("damaged", encoding="utf-8")
    becomes(started("watch/production"), "Failed")
    (alert,) = [entry for entry in alerts(up.paths) if entry["code"] == "watch-failed"]
    assert alert["what_happened"].endswith("watch.json and got a damaged file")


def serve_both(paths: Paths, champion: str, challenger: str) -> None:
    """300 requests of an A/B test, the last of them now, which the challenger served better."""
    table = ab_rows(300, int(challenger), effect=0.03)
    now = datetime.now(UTC)
    table["time"] = [now - timedelta(microseconds=300 - k) for k in range(300)]  # all of them since the test began
    table["request_id"] = [f"{challenger}-{k}" for k in range(300)]
    table["model_version"] = table["model_version"].map({"1": champion, "2": challenger})
    known = pd.DataFrame(table.drop(columns=["sequence", "feedback_recognised", "feedback_preferred"]))
    with open_log(paths) as log:
        log.append(rows_of(known))


def challenge(paths: Paths, version: str) -> None:
    """A version that passed the gate and meets the champion, as a cycle would leave it."""
    from models.weight_files import weights_sha256

    folder = Paths(paths.root / "made" / version)
    lay_out(folder, int(version))
    stored = paths.mlflow_artifacts / version / "artifacts" / "weights.safetensors"
    stored.parent.mkdir(parents=True)
    folder.trained_weights.rename(stored)
    tags = {"gate": "passed", "weights_sha256": weights_sha256(stored)}
    registry = _registry(paths)
    made = registry.create_model_version(NAME, stored.parent.parent.as_uri(), tags=tags)
    assert str(made.version) == version
    registry.set_registered_model_alias(NAME, "challenger", version)


def another_look(paths: Paths, patch: pytest.MonkeyPatch) -> tuple[str | None, bool]:
    """What the next hourly run does, in this process: its action, and whether it waits."""
    from flows.ab_verdict import ab_verdict

    with asked() as prefect:
        deployment = prefect.read_deployment_by_name("ab-verdict/production").id
        patch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(deployment))
        report = ab_verdict(paths.root)
    return report.action, report.waiting


def alerts(paths: Paths) -> list[dict[str, Any]]:
    return [json.loads(line) for line in paths.alerts.read_text(encoding="utf-8").splitlines()]


def aliases(paths: Paths) -> dict[str, str]:
    return aliases_of(_registry(paths), NAME)


def steps(paths: Paths) -> list[dict[str, Any]]:
    """What the log says of verdicts."""
    with open_log(paths) as log:
        return [dict(entry.body) for entry in log.entries("verdict")]


def _registry(paths: Paths) -> Any:
    from pipeline.registry.client import connect

    return connect(paths)
