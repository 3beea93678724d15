"""`likeness dashboards`: where to look."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from flows.local.dashboards import Page
    from pipeline.project.paths import Paths


@click.command("dashboards")
@click.option(
    "--port", type=click.IntRange(1024, 65000), help="Prefect's; the others follow [default: that of `likeness up`]."
)
@click.option(
    "--status", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the status page to this file."
)
@json_option
@root_option
def dashboards_command(port: int | None, file: Path | None, as_json: bool, root: Path) -> None:
    """List all pages, whether each answers and what starts it; or write the status page: for that nothing need run."""
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    if file is not None:
        _write_status(paths, file)
        return
    found = _pages(paths, port)
    click.echo("\n".join(page.model_dump_json() for page in found) if as_json else "\n".join(_lines(found, paths)))


def _pages(paths: "Paths", port: int | None) -> "list[Page]":
    from flows.local.dashboards import pages
    from flows.local.up import remembered

    return pages(paths, port or remembered(paths).port)


def _lines(found: "list[Page]", paths: "Paths") -> list[str]:
    width = max(len(page.name) for page in found)
    lines = []
    for page in found:
        lines.append(f"{'✓' if page.answers else '·'} {page.name:<{width}}  {page.address}  {page.about}")
        if not page.answers:
            lines.append(f"  {'':<{width}}  not there; {page.start}")
    if not all(page.answers for page in found):
        lines += ["", f"All servers at once: likeness up --root {paths.root}"]
    return lines


def _write_status(paths: "Paths", file: Path) -> None:
    from datetime import UTC, datetime

    from monitoring.status.collect import status
    from pipeline.config.load import load_params
    from pipeline.project.files import write_text
    from serving.views.status import render

    found = status(load_params(paths.params), paths, now=datetime.now(UTC))
    write_text(file, render(found, alone=True))
    click.echo(f"{file}: {found.headline[0]}")
