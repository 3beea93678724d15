"""`likeness dashboards`: list all pages, or write the status page."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from flows.local.dashboards import Page
    from pipeline.project.paths import Paths


@click.command("dashboards")
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    help="Port of Prefect; the other servers use the next ports [default: that of `likeness up`].",
)
@click.option(
    "--status", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the status page to this HTML file."
)
@json_option
@root_option
def dashboards_command(port: int | None, file: Path | None, as_json: bool, root: Path) -> None:
    """List all pages, whether each answers, and the command that starts it; or write the status page to a file.

    The status page can be written without any server running.
    """
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    if file is not None:
        _write_status(paths, file)
        return
    listed = _pages(paths, port)
    lines = [page.model_dump_json() for page in listed] if as_json else _lines(listed, paths)
    click.echo("\n".join(lines))


def _pages(paths: "Paths", port: int | None) -> "list[Page]":
    from flows.local.dashboards import pages

    return pages(paths, port)


def _lines(listed: "list[Page]", paths: "Paths") -> list[str]:
    width = max(len(page.name) for page in listed)
    lines = []
    for page in listed:
        lines.append(f"{'✓' if page.answers else '·'} {page.name:<{width}}  {page.address}  {page.about}")
        if not page.answers:
            lines.append(f"  {'':<{width}}  not available; start it with: {page.start}")
    if not all(page.answers for page in listed):
        lines += ["", f"Start all servers: likeness up --root {shlex.quote(str(paths.root))}"]
    return lines


def _write_status(paths: "Paths", file: Path) -> None:
    from datetime import UTC, datetime

    from monitoring.status.collect import collect_status, registry_page
    from pipeline.config.load import load_params
    from pipeline.project.files import write_text
    from serving.views.status import render

    params = load_params(paths.params)
    current = collect_status(params, paths, now=datetime.now(UTC))
    mlflow = next((page.address for page in _pages(paths, None) if page.name == "mlflow" and page.answers), "")
    current = current.model_copy(update={"registry": registry_page(params.registry.model_name, mlflow)})
    write_text(file, render(current, alone=True))
    click.echo(f"{file}: {current.headline[0]}")
