"""Publish artifacts, which Prefect's pages show with a run."""

from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.steps.links import links
from flows.steps.reports import CycleReport, HouseReport
from flows.steps.summary import outcome
from monitoring.ab.verdict import AbVerdict
from monitoring.retraining.watch import Verdict
from pipeline.project.paths import Paths


def publish_cycle(root: Path, report: CycleReport, model_name: str) -> None:
    """Publish a cycle's gate table, its summary, and links to its pictures, run and version."""
    create_table_artifact(
        key="gate", table=[row.model_dump(mode="json") for row in report.gate.rows], description="The gate"
    )
    create_markdown_artifact(key="cycle", markdown=summary(report), description="What the cycle did")
    paths = Paths(root.resolve())
    known = links(paths)
    report_page = f"evaluate/{paths.evaluation_html.name}"  # as the stage evaluate logs it
    _link("evaluation", known.run(paths, report.run_id, report_page), "before and after, worst cases first")
    _link("cycle-run", known.run(paths, report.run_id), "parameters, figures and files in MLflow")
    _link("version", known.version(model_name, report.version), f"version {report.version} in the registry")


def publish_verdict(root: Path, verdict: Verdict) -> None:
    """Publish the watch's verdict, with a link to the drift report."""
    lines = [f"## {'Cycle requested' if verdict.triggered else 'No cycle requested'}: window `{verdict.window_id}`", ""]
    lines += [f"- {reason}" for reason in verdict.reasons or (verdict.note,)]
    create_markdown_artifact(key="watch", markdown="\n".join(lines), description="The watch's verdict")
    known = links(Paths(root.resolve()))
    _link("drift", known.drift_report(verdict.drift.page if verdict.drift else ""), "drift report")
    _link("status", known.status(), "the state of everything, in plain words")


def _link(key: str, address: str, text: str) -> None:
    """Publish a link; none where no page is served."""
    if address:
        create_link_artifact(key=key, link=address, link_text=text)


def publish_ab(verdict: AbVerdict) -> None:
    """Publish the state of the A/B test, its reason, and a table of the outcomes."""
    title = verdict.experiment or "none under way"
    create_markdown_artifact(key="ab", markdown=f"## A/B test: {title}\n\n**{verdict.state}**: {verdict.reason}")
    if verdict.effects:
        rows = [effect.model_dump(exclude={"better", "alpha"}) for effect in verdict.effects]
        create_table_artifact(key="ab-outcomes", table=rows, description="challenger minus champion")


def publish_housekeeping(report: HouseReport) -> None:
    """Publish what housekeeping did, as a table."""
    lines = [f"| {name} | {value} |" for name, value in report.model_dump().items()]
    create_markdown_artifact(key="housekeeping", markdown="\n".join(["| what | |", "|---|---|", *lines]))


def summary(report: CycleReport) -> str:
    """Summarise a cycle in a few lines of Markdown."""
    times = [f"| {stage} | {seconds:.1f} |" for stage, seconds in report.seconds.items()]
    cached = [f"| {stage} | up to date |" for stage in report.cached]
    head = [f"## Version {report.version} {outcome(report)}", "", f"Started by: {report.reason}", ""]
    return "\n".join([*head, "| stage | seconds |", "|---|---|", *times, *cached])
