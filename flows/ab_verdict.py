"""The A/B verdict, every hour: judge the test that is on; where it has come to an end, promote or retire, and tell.

Nothing happens twice: the verdict is recorded before anything moves and the deed after it, under one lock. A run that
dies in between leaves a verdict without a deed, and the next run takes that one up instead of judging anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.deployment.events import VERDICT, announce, emit
from flows.steps import failures
from flows.steps.approval import Ask, ask_in_prefect, served, withdraw_forms
from flows.steps.artifacts import publish_ab
from flows.steps.reports import AbReport
from monitoring.ab.messages import ended_alert, waiting_alert
from monitoring.ab.record import Action, answer, record_action, record_answer, record_verdict, unfinished
from monitoring.ab.verdict import AbVerdict, judge
from monitoring.alerts.send import alert
from monitoring.log.production_log import open_log
from pipeline.config.load import Params, load_params
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths
from pipeline.registry.promotion import promote, retire
from pipeline.registry.user_study_tag import study_says
from pipeline.registry.versions import champion_version
from pipeline.workspaces.cycle_checkouts import adopt

_LOCK_SECONDS = 60.0


@flow(name="ab-verdict", persist_result=False, validate_parameters=False)
def ab_verdict(root: Path) -> AbReport:
    """One look at the A/B test.

    Where a winner waits for a person, a run of the deployment is suspended here until the form on its page is filled
    in, and then begins anew; there is one such run for a test.

    Raises:
        Busy: another look is at work.
        ServiceUnavailable: the registry, the log or Prefect's server does not answer; the next look goes on from there.
    """
    root = Path(root)  # a deployment's parameters are JSON
    with failures.telling_failure(root, failures.VERDICT):
        verdict = conclude(root)
        publish_ab(verdict)
        if served():
            withdraw_forms(verdict.experiment if verdict.final else "")
        if not verdict.final:
            return AbReport(verdict=verdict, action=None, waiting=False)
        approved = consent(root, verdict, ask_in_prefect if served() else None)
        if approved is None:
            return AbReport(verdict=verdict, action=None, waiting=True)
        return AbReport(verdict=verdict, action=act(root, verdict, approved=approved), waiting=False)


@task(name="judge", cache_policy=NO_CACHE, persist_result=False)
def conclude(root: Path) -> AbVerdict:
    """The verdict that is still to be acted on, else a new one; a new one that ends the test is recorded."""
    paths = Paths(root)
    params = load_params(paths.params)
    with one_verdict_at_a_time(paths), open_log(paths) as log:
        verdict = unfinished(log)
        if verdict is None:
            verdict = judge(params, paths, now=datetime.now(UTC))
            if verdict.final:
                record_verdict(log, verdict)
    return verdict


def consent(root: Path, verdict: AbVerdict, ask: Ask | None) -> bool | None:
    """Whether a winner may become champion; None while a user study or a person still has to say so.

    Only winners need an answer: of a study where the version is tagged so, of a person with `ab.approval`. `ask` is
    used where the log has no answer yet.
    """
    paths = Paths(root)
    params = load_params(paths.params)
    if verdict.state != "win":
        return True
    if (studied := study_says(paths, params.registry.model_name, verdict.challenger)) is not True:
        return studied
    if not params.ab.approval:
        return True
    if (given := _answered(paths, verdict)) is not None:
        return given
    alert(params, paths, waiting_alert(verdict), datetime.now(UTC))
    if ask is None or (said := ask(verdict)) is None:
        return _answered(paths, verdict)
    with open_log(paths) as log:
        if answer(log, verdict.experiment) is None:  # somebody may have used the command line meanwhile
            record_answer(log, verdict.experiment, approved=said.approve, by=said.by, now=datetime.now(UTC))
    return _answered(paths, verdict)


@task(name="act", cache_policy=NO_CACHE, persist_result=False)
def act(root: Path, verdict: AbVerdict, *, approved: bool) -> Action | None:
    """Promote or retire, tell people and automations, and record it; None where another run has done so."""
    paths = Paths(root)
    params, now = load_params(paths.params), datetime.now(UTC)
    with one_verdict_at_a_time(paths), open_log(paths) as log:
        if unfinished(log) is None:
            return None
        action = _move(params, paths, verdict, approved=approved)
        champion = champion_version(paths, params.registry.model_name)
        emit(VERDICT, *_told(verdict, action, champion, params))
        alert(params, paths, ended_alert(verdict, action, champion), now)
        record_action(log, verdict.experiment, action, champion, now)
    return action


def supersede(root: Path, verdict: AbVerdict, by: str) -> None:
    """End a test whose challenger gave way to version `by`; `verdict` is how it stood. Nothing where none was on."""
    if verdict.state == "none":
        return
    paths = Paths(root)
    params, now = load_params(paths.params), datetime.now(UTC)
    reason = f"version {by} has taken the challenger's place before anything was proven"
    ended = verdict.model_copy(update={"state": "superseded", "reason": reason, "judged": now})
    with one_verdict_at_a_time(paths), open_log(paths) as log:
        record_verdict(log, ended)
        retire(paths, params.registry.model_name, verdict.challenger, "superseded")
        champion = champion_version(paths, params.registry.model_name)
        announce(VERDICT, *_told(ended, "retired", champion, params))
        alert(params, paths, ended_alert(ended, "retired", champion), now)
        record_action(log, verdict.experiment, "retired", champion, now)


@contextmanager
def one_verdict_at_a_time(paths: Paths) -> Iterator[None]:
    """Hold the lock of the A/B test.

    Raises:
        Busy: another process has held it for a minute.
    """
    busy = ("no other A/B verdict", "one under way", "try again when it has ended")
    with hold_lock(paths.locks / "ab.lock", seconds=_LOCK_SECONDS, busy=busy):
        yield


def _told(verdict: AbVerdict, action: Action, champion: str, params: Params) -> tuple[str, dict[str, str]]:
    """Resource and payload of the event that a test has ended."""
    payload = {"state": verdict.state, "experiment": verdict.experiment, "action": action, "champion": champion}
    return f"likeness.model.{params.registry.model_name}", {**payload, "reason": verdict.reason}


def _answered(paths: Paths, verdict: AbVerdict) -> bool | None:
    with open_log(paths) as log:
        return answer(log, verdict.experiment)


def _move(params: Params, paths: Paths, verdict: AbVerdict, *, approved: bool) -> Action:
    """Bring the registry to what the verdict asks for; repeating it changes nothing."""
    name = params.registry.model_name
    as_judged = champion_version(paths, name) in (verdict.champion, verdict.challenger)
    if verdict.state == "win" and approved and as_judged:
        promote(paths, name, verdict.challenger)
        adopt(paths, verdict.challenger)
        return "promoted"
    rejected = verdict.state == "win" and not approved
    retire(paths, name, verdict.challenger, "rejected" if rejected else verdict.state)
    return "rejected" if rejected else "retired"
