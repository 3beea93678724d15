"""Steps of the A/B verdict: judge, get approval, promote or retire.

Nothing happens twice: the verdict is recorded before the registry changes and the action after it, under one lock. A
run that dies in between leaves a verdict without an action, which the next run completes instead of judging again.
"""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.deployment.events import VERDICT, announce, emit
from flows.steps.approval import AskPerson
from flows.steps.locks import one_verdict_at_a_time
from monitoring.ab.messages import ended_alert, waiting_alert
from monitoring.ab.record import Action, latest_answer, record_action, record_answer, record_verdict, unfinished_verdict
from monitoring.ab.verdict import AbVerdict, judge
from monitoring.alerts.send import alert
from monitoring.log.production_log import open_log
from pipeline.config.load import Params, load_params
from pipeline.project.paths import Paths
from pipeline.registry.promotion import promote, retire
from pipeline.registry.run_names import name_run_of_version
from pipeline.registry.user_study_tag import study_verdict
from pipeline.registry.versions import champion_state
from pipeline.workspaces.cycle_checkouts import adopt_cycle


@task(name="judge", cache_policy=NO_CACHE, persist_result=False)
def conclude_test(root: Path) -> AbVerdict:
    """Give the verdict that still needs an action, else a new one; a new one that ends the test is recorded."""
    paths = Paths(root)
    params = load_params(paths.params)
    with one_verdict_at_a_time(paths), open_log(paths) as log:
        verdict = unfinished_verdict(log)
        if verdict is None:
            verdict = judge(params, paths, now=datetime.now(UTC))
            if verdict.final:
                record_verdict(log, verdict)
    return verdict


def approve_winner(root: Path, verdict: AbVerdict, ask: AskPerson | None) -> bool | None:
    """Tell whether a winner may become champion; None while a user study or a person has not decided yet.

    Only winners need a decision: of a study if the version is tagged so, of a person with `ab.approval`. `ask` is used
    if the log has no answer yet.
    """
    paths = Paths(root)
    params = load_params(paths.params)
    if verdict.state != "win":
        return True
    if (studied := study_verdict(paths, params.registry.model_name, verdict.challenger)) is not True:
        return studied
    if not params.ab.approval:
        return True
    if (given := _logged_answer(paths, verdict)) is not None:
        return given
    alert(params, paths, waiting_alert(verdict), datetime.now(UTC))
    if ask is None or (approval := ask(verdict)) is None:
        return _logged_answer(paths, verdict)
    with open_log(paths) as log:
        if latest_answer(log, verdict.experiment) is None:  # the command line may have been used meanwhile
            record_answer(log, verdict.experiment, approved=approval.approve, by=approval.by, now=datetime.now(UTC))
    return _logged_answer(paths, verdict)


@task(name="act", cache_policy=NO_CACHE, persist_result=False)
def end_test(root: Path, verdict: AbVerdict, *, approved: bool) -> Action | None:
    """Promote or retire, send alert and event, and record it; None if another run has done so."""
    paths = Paths(root)
    params, now = load_params(paths.params), datetime.now(UTC)
    with one_verdict_at_a_time(paths), open_log(paths) as log:
        if unfinished_verdict(log) is None:
            return None
        action = _apply(params, paths, verdict, approved=approved)
        _name_run(params, paths, verdict, action)
        champion = champion_state(paths, params.registry.model_name).version
        emit(VERDICT, *_event(verdict, action, champion, params))
        alert(params, paths, ended_alert(verdict, action, champion), now)
        record_action(log, verdict.experiment, action, champion, now)
    return action


def supersede(root: Path, verdict: AbVerdict, by: str) -> None:
    """End a test whose challenger is replaced by version `by`; `verdict` is its last one. Without a test do nothing."""
    if verdict.state == "none":
        return
    paths = Paths(root)
    params, now = load_params(paths.params), datetime.now(UTC)
    reason = f"version {by} has replaced the challenger before anything was proven"
    ended = verdict.model_copy(update={"state": "superseded", "reason": reason, "judged": now})
    with one_verdict_at_a_time(paths), open_log(paths) as log:
        record_verdict(log, ended)
        retire(paths, params.registry.model_name, verdict.challenger, "superseded")
        _name_run(params, paths, ended, "retired")
        champion = champion_state(paths, params.registry.model_name).version
        announce(VERDICT, *_event(ended, "retired", champion, params))
        alert(params, paths, ended_alert(ended, "retired", champion), now)
        record_action(log, verdict.experiment, "retired", champion, now)


def _name_run(params: Params, paths: Paths, verdict: AbVerdict, action: Action) -> None:
    """Name the MLflow run of the challenger by how its test ended."""
    outcome = "promoted to champion" if action == "promoted" else action
    name_run_of_version(paths, params.registry.model_name, verdict.challenger, f"{outcome}, A/B test: {verdict.state}")


def _event(verdict: AbVerdict, action: Action, champion: str, params: Params) -> tuple[str, dict[str, str]]:
    """Build resource and payload of the event that ends a test."""
    payload = {"state": verdict.state, "experiment": verdict.experiment, "action": action, "champion": champion}
    return f"likeness.model.{params.registry.model_name}", {**payload, "reason": verdict.reason}


def _logged_answer(paths: Paths, verdict: AbVerdict) -> bool | None:
    with open_log(paths) as log:
        return latest_answer(log, verdict.experiment)


def _apply(params: Params, paths: Paths, verdict: AbVerdict, *, approved: bool) -> Action:
    """Change the registry as the verdict requires; repeating it changes nothing."""
    name = params.registry.model_name
    unchanged = champion_state(paths, name).version in (verdict.champion, verdict.challenger)
    if verdict.state == "win" and approved and unchanged:
        promote(paths, name, verdict.challenger)
        adopt_cycle(paths, verdict.challenger)
        return "promoted"
    rejected = verdict.state == "win" and not approved
    retire(paths, name, verdict.challenger, "rejected" if rejected else verdict.state)
    return "rejected" if rejected else "retired"
