"""Drift starts one cycle and no more: with a real Prefect server, worker and supervisor, and the real flow.

Only the stages, and DVC around them, are stand-ins that cost nothing; with DVC cycles run in
test_prefect_on_postgresql.py.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from flows.deployment.automations import DRIFT_STARTS
from flows.deployment.events import DRIFT, emit
from flows.deployment.kubernetes_pool import TEMPLATE
from flows.deployment.plan import ENTRYPOINT
from flows.local.processes import find_marked, is_alive
from flows.local.services import is_answering
from flows.local.supervisor import Supervisor
from models.errors import ConfigError, ServiceUnavailable
from pipeline.config.load import load_params
from pipeline.workspaces.cycle_checkouts import cycle_in_use, cycle_records
from tests.conftest import ROOT
from tests.flows.prefect_runs import asked, beats, deployed, runs
from tests.flows.prefect_site import began, commit, project, until

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """Prefect, a worker and the deployments of a project."""
    folder = tmp_path_factory.mktemp("triggers") / "project"
    paths = project(folder, cycles=6, dvc=False, **{"ab.enabled": False, "operate.when_busy": "refuse"})
    with deployed(paths) as supervisor:
        yield supervisor


def tell(window: str) -> bool:
    """What the watch tells the server; False where it does not answer just now."""
    try:
        return emit(DRIFT, f"likeness.window.{window}", payload(window))
    except ServiceUnavailable:
        return False


def _look_again(window: str) -> bool:
    """As the watch at its next look, while the window is not claimed: a run may have died with the server."""
    time.sleep(3)
    return tell(window)


def payload(window: str) -> dict[str, Any]:
    return {"window_id": window, "reason": '25 % "drifted": {{area}}', "overrides": {"train.epochs": 3}}


def cycles() -> list[Any]:
    """Runs of the cycle, oldest first."""
    return runs("cycle/production")


def states() -> Counter[str]:
    return Counter(run.state_name for run in cycles())


def settled() -> bool:
    """All runs have ended."""
    return all(run.state.is_final() for run in cycles())


def test_100_triggers_in_10_seconds_start_one_cycle_also_across_a_restart_of_the_server(up: Supervisor) -> None:
    hold = up.paths.state / "hold"
    hold.touch()
    start, delivered = time.monotonic(), 0
    for number in range(100):
        if number == 50:
            server = up.watched["prefect"].process
            assert server is not None
            server.kill()
        delivered += tell("00000001-00000120")
        time.sleep(max(0.0, start + 0.1 * (number + 1) - time.monotonic()))
    assert delivered >= 40
    until(lambda: _look_again("00000001-00000120") and began(up.paths), 300, "a cycle has begun")
    hold.unlink()
    until(lambda: settled() and states()["Completed"], 240, "the cycle is done", states, pause=1.0)
    time.sleep(15)
    until(settled, 120, "nothing else is under way", pause=1.0)
    assert began(up.paths) == 1
    (record,) = cycle_records(up.paths)
    assert record.reason == payload("")["reason"]
    assert (record.overrides, record.version, record.adopted) == ({"train.epochs": 3}, "1", True)
    assert load_params(up.paths.params).train.epochs == 3
    assert cycle_in_use(up.paths) == record.cycle


def test_a_window_that_had_its_cycle_gets_no_other_from_a_run_that_asks_for_it(up: Supervisor) -> None:
    from prefect.deployments import run_deployment

    before = began(up.paths)
    with asked():
        started = run_deployment("cycle/production", parameters={"window_id": "00000001-00000120"}, timeout=180)
    run = cast("FlowRun", started)  # outside an event loop there is nothing to await
    assert run.state is not None
    assert run.state.is_completed()
    assert began(up.paths) == before


def test_windows_beside_a_running_cycle_are_refused_and_can_ask_again(up: Supervisor) -> None:
    from monitoring.retraining.windows import is_claimed

    hold, before = up.paths.state / "hold", began(up.paths)
    hold.touch()
    assert tell("00000121-00000240")
    until(lambda: began(up.paths) == before + 1, 120, "a cycle has begun")
    for window in ("00000241-00000360", "00000361-00000480"):
        assert tell(window)
    until(lambda: states()["Cancelled"] >= 2, 60, "the others are refused", pause=1.0)
    hold.unlink()
    until(settled, 240, "the cycle is done", states, pause=1.0)
    assert began(up.paths) == before + 1
    assert is_claimed(up.paths, "00000121-00000240")
    assert not is_claimed(up.paths, "00000241-00000360")


def test_a_killed_run_becomes_crashed_and_the_next_trigger_works(up: Supervisor) -> None:
    hold, before, crashed = up.paths.state / "hold", began(up.paths), states()["Crashed"]
    hold.touch()
    assert tell("00000481-00000600")
    until(lambda: began(up.paths) == before + 1, 120, "a cycle has begun")
    until(lambda: beats(cycles()[-1]), 60, "its first heartbeat has arrived", pause=1.0)
    marked = find_marked(up.running.mark, "worker")
    (run,) = [process for process in marked if ENTRYPOINT in process.cmdline() and process.ppid() in _workers(up)]
    stages = [process for process in run.children(recursive=True) if "ingest" in process.cmdline()]
    assert stages
    for process in (up.watched["worker"].process, run):  # the worker would say it at once
        assert process is not None
        process.kill()
    until(lambda: not any(is_alive(stage) for stage in stages), 30, "its stage has ended with it")
    hold.unlink()
    until(lambda: states()["Crashed"] == crashed + 1, 240, "the run counts as crashed", states, pause=2.0)
    assert tell("00000601-00000720")
    until(lambda: began(up.paths) == before + 2, 180, "the next cycle has begun", states)
    until(settled, 240, "it is done", pause=1.0)
    assert cycle_records(up.paths)[-1].overrides == {"train.epochs": 3}


def _workers(up: Supervisor) -> set[int]:
    process = up.watched["worker"].process
    assert process is not None
    return {process.pid, *(child.pid for child in process.children(recursive=True))}


def test_a_run_and_its_slot_outlive_the_worker_and_the_server(up: Supervisor) -> None:
    hold, before = up.paths.state / "hold", began(up.paths)
    hold.touch()
    assert tell("00000721-00000840")
    until(lambda: began(up.paths) == before + 1, 120, "a cycle has begun")
    for name in ("worker", "prefect"):
        process = up.watched[name].process
        assert process is not None
        process.kill()
        until(lambda: up.watched[name].process not in {None, process}, 60, f"there is a new {name}")  # noqa: B023
    until(lambda: is_answering(up.watched["prefect"].part), 120, "the server answers")
    newest = cycles()[-1]
    _renew(newest.state.state_details.deployment_concurrency_lease_id)  # a run that cannot ends itself
    hold.unlink()
    until(settled, 240, "the run is done", states, pause=1.0)
    assert cycles()[-1].state_name == "Completed"


def _renew(lease: Any) -> None:
    with asked() as prefect:
        prefect.renew_concurrency_lease(lease_id=lease, lease_duration=300)


def test_deploying_again_changes_nothing_and_keeps_what_was_switched_off(up: Supervisor) -> None:
    from flows.deployment.deploy import deploy

    def ids() -> set[str]:
        automations = {str(found.id) for found in prefect.read_automations()}
        return automations | {str(found.id) for found in prefect.read_deployments()}

    with asked() as prefect:
        before, address = ids(), str(prefect.api_url)
        (drift,) = prefect.read_automations_by_name(DRIFT_STARTS)
        prefect.pause_automation(drift.id)
        assert deploy(up.paths, address).changed == ()
        (up.paths.root / "note").write_text("a new revision", encoding="utf-8")
        commit(up.paths.root)
        assert deploy(up.paths, address).changed == ("cycle",)
        assert ids() == before
        assert not prefect.read_deployment_by_name("cycle/production").schedules[0].active  # the fixture did that
        again = prefect.read_automation(drift.id)
        assert again is not None
        assert not again.enabled


def test_runs_that_wait_since_the_workspace_was_elsewhere_work_in_this_one(up: Supervisor) -> None:
    from prefect.client.schemas.objects import State
    from prefect.states import Cancelled, Paused, Scheduled

    from flows.deployment.deploy import deploy

    with asked() as prefect:
        house = prefect.read_deployment_by_name("housekeeping/production")
        later = datetime.now(UTC) + timedelta(days=1)
        elsewhere = {**house.parameters, "root": "/elsewhere/state/production"}
        states: list[State[Any]]
        states = [Scheduled(scheduled_time=later), Paused(timeout_seconds=9999), Cancelled()]
        made = [
            prefect.create_flow_run_from_deployment(house.id, parameters=elsewhere, state=state) for state in states
        ]
        deploy(up.paths, str(prefect.api_url))
        roots = [prefect.read_flow_run(run.id).parameters["root"] for run in made]
        assert roots == [str(up.paths.production)] * 2 + [elsewhere["root"]]  # what has ended stays as it was
        for run in made:
            prefect.delete_flow_run(run.id)


def test_deploying_anew_keeps_added_schedules_and_pauses_and_brings_another_interpreter(
    up: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    from flows.deployment import deploy

    with asked() as prefect:
        address = str(prefect.api_url)
        watch = prefect.read_deployment_by_name("watch/production")
        night = CronSchedule(cron="0 3 * * *", timezone="Europe/Berlin")
        prefect.create_deployment_schedules(watch.id, [DeploymentScheduleCreate(schedule=night, active=True)])
        prefect.pause_deployment(watch.id)
        monkeypatch.setattr(sys, "executable", "/another/python")
        assert "watch" in deploy.deploy(up.paths, address).changed
        after = prefect.read_deployment_by_name("watch/production")
        assert {(found.slug, found.active) for found in after.schedules} == {("likeness", False), (None, True)}
        assert night in [found.schedule for found in after.schedules]
        assert after.paused
        assert after.job_variables["command"].startswith("/another/python -m ")
        assert deploy.deploy(up.paths, address).changed == ()
        monkeypatch.undo()
        deploy.deploy(up.paths, address)
        prefect.resume_deployment(watch.id)


def test_cycles_go_to_another_pool_and_stay_there(up: Supervisor) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate

    from flows.deployment import deploy

    def pools() -> dict[str | None, str | None]:
        return {found.entrypoint: found.work_pool_name for found in prefect.read_deployments()}

    with asked() as prefect:
        address, before = str(prefect.api_url), pools()
        with pytest.raises(ConfigError, match="a work pool of the server; got 'gpu'; make it"):
            deploy.deploy(up.paths, address, cycle_pool="gpu")
        job_template = json.loads((ROOT / TEMPLATE).read_text(encoding="utf-8"))
        prefect.create_work_pool(WorkPoolCreate(name="gpu", type="kubernetes", base_job_template=job_template))
        assert deploy.deploy(up.paths, address, cycle_pool="gpu").changed == ("cycle",)
        assert pools() == before | {"flows.cycle.cycle": "gpu"}
        assert deploy.deploy(up.paths, address).changed == ()  # as `likeness up` does
        assert deploy.deploy(up.paths, address, "likeness").changed == ("cycle",)
        assert pools() == before


def test_prefect_deploy_makes_what_likeness_deploy_makes(up: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.deployment import deploy, prefect_yaml

    def settings() -> tuple[Any, Any]:
        deployments = sorted((one.model_dump(mode="json") for one in prefect.read_deployments()), key=_entrypoint)
        automations = sorted((one.model_dump(mode="json") for one in prefect.read_automations()), key=str)
        return _without_numbers(deployments), _without_numbers(automations)

    def remove_all() -> None:
        for automation in prefect.read_automations():
            prefect.delete_automation(automation.id)
        for deployment in prefect.read_deployments():
            prefect.delete_deployment(deployment.id)

    monkeypatch.chdir(up.paths.root)
    prefect_yaml.main()
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    with asked() as prefect:
        address = str(prefect.api_url)
        remove_all()
        deploy.deploy(up.paths, address)
        made = settings()
        remove_all()
        subprocess.run(command, cwd=up.paths.root, capture_output=True, timeout=300, check=True)
        assert settings() == made
        (drift,) = prefect.read_automations_by_name(DRIFT_STARTS)
        prefect.pause_automation(drift.id)
        subprocess.run(command, cwd=up.paths.root, capture_output=True, timeout=300, check=True)
        assert [found.enabled for found in prefect.read_automations_by_name(DRIFT_STARTS)] == [False]
        assert deploy.deploy(up.paths, address).changed == ()
    assert [len(part) for part in made] == [4, 2]


def _entrypoint(deployment: dict[str, Any]) -> str:
    return str(deployment["entrypoint"])


def _without_numbers(node: Any) -> Any:
    """JSON without what the server numbers and dates, each list in one order."""
    numbered = {
        "id",
        "created",
        "updated",
        "deployment_id",
        "flow_id",
        "global_concurrency_limit",
        "last_polled",
        "status",
    }
    if isinstance(node, dict):
        return {name: _without_numbers(value) for name, value in node.items() if name not in numbered}
    return sorted((_without_numbers(one) for one in node), key=str) if isinstance(node, list) else node
