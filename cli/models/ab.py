"""`likeness ab`: show the A/B test, decide it, or approve a winner."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from flows.steps.reports import AbReport
    from monitoring.ab.verdict import AbVerdict
    from pipeline.config.load import Params
    from pipeline.project.paths import Paths


@click.command("ab")
@click.option("--decide", is_flag=True, help="Apply the verdict now, as the hourly run does: promote, retire, or wait.")
@click.option(
    "--approve/--reject",
    "approved",
    default=None,
    help="Approve or reject a winner that waits for it, and apply the verdict.",
)
@json_option
@root_option
def ab_command(decide: bool, approved: bool | None, as_json: bool, root: Path) -> None:
    """Show the state of the A/B test between champion and challenger. Without an option nothing changes."""
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    root = root.resolve()
    paths = Paths(root)
    params = load_params(paths.params)
    if approved is not None:
        _answer(paths, approved=approved)
    report = _apply(root) if decide or approved is not None else _current(params, paths)
    _show(params, report, as_json=as_json)


def _answer(paths: "Paths", *, approved: bool) -> None:
    from datetime import UTC, datetime

    from models.errors import PromotionError
    from monitoring.ab.record import record_answer, unfinished_verdict
    from monitoring.log.production_log import open_log

    with open_log(paths) as log:
        verdict = unfinished_verdict(log)
        if verdict is None or verdict.state != "win":
            raise PromotionError(
                "a winner that waits for approval", "none", "`likeness ab` shows the state of the test"
            )
        record_answer(log, verdict.experiment, approved=approved, by=getpass.getuser(), now=datetime.now(UTC))


def _apply(root: Path) -> "AbReport":
    from flows.deployment.prefect_home import use_prefect_home

    use_prefect_home(root)
    from flows.ab_verdict import ab_verdict

    return ab_verdict(root)


def _current(params: "Params", paths: "Paths") -> "AbReport":
    from flows.steps.reports import AbReport

    verdict = _verdict(params, paths)
    return AbReport(verdict=verdict, action=None, waiting=verdict.state == "win" and params.ab.approval)


def _verdict(params: "Params", paths: "Paths") -> "AbVerdict":
    """Give the verdict that still needs an action, else the current one."""
    from datetime import UTC, datetime

    from monitoring.ab.record import unfinished_verdict
    from monitoring.ab.verdict import judge
    from monitoring.log.production_log import open_log

    with open_log(paths) as log:
        pending = unfinished_verdict(log)
    return pending or judge(params, paths, now=datetime.now(UTC))


def _show(params: "Params", report: "AbReport", *, as_json: bool) -> None:
    from flows.steps.summary import ab_lines
    from monitoring.ab.messages import next_step

    following = next_step(report.verdict, share=params.ab.share, waiting=report.waiting)
    click.echo(report.model_dump_json() if as_json else "\n".join(ab_lines(report, following)))
