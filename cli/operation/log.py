"""`likeness log`: take rows of another service into the production log, seal old ones."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option
from models.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime


@click.group("log")
def log_group() -> None:
    """Take rows of another service into the production log, and seal old ones (docs/audit.md)."""


@log_group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
@root_option
def import_command(file: Path, as_json: bool, root: Path) -> None:
    """Append the rows of FILE: JSON lines (.jsonl), CSV (.csv) or Parquet (.parquet), as `log schema` describes them.

    All are checked first: one that is wrong is named, and none is appended. Rows that are in the log already are
    skipped. Subjects are logged as pseudonyms.
    """
    from monitoring.log.imports import import_rows
    from monitoring.log.production_log import open_log
    from pipeline.project.paths import Paths
    from serving.privacy.subjects import Pseudonyms, valid_subject

    paths = Paths(root.resolve())
    with open_log(paths) as log:
        imported = import_rows(log, file, valid_subject, Pseudonyms(paths).of)
    text = f"{imported.added} rows imported, {imported.known} were in the log already"
    click.echo(json.dumps(imported._asdict()) if as_json else text)


@log_group.command("seal")
@json_option
@root_option
def seal_command(as_json: bool, root: Path) -> None:
    """Move old entries to sealed segments now, as housekeeping does: operate.log_segment_rows and log_live_rows.

    On PostgreSQL the role needs the rights of the table's owner.
    """
    from monitoring.housekeeping import seal_log
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    moved = seal_log(load_params(paths.params), paths)
    if moved is None:
        got, remedy = "one that may not delete", "run it as the owner of the log's table"
        raise ConfigError("a role of PostgreSQL that may move entries", got, remedy)
    click.echo(json.dumps({"sealed": moved}) if as_json else f"{moved} entries sealed")


@log_group.command("drift")
@click.option("--since", type=click.DateTime(), help="First time, UTC; without it from the beginning.")
@click.option("--until", type=click.DateTime(), help="End, UTC, which is no part of it; without it to the end.")
@json_option
@root_option
def drift_command(since: "datetime | None", until: "datetime | None", as_json: bool, root: Path) -> None:
    """Compare the champion's rows of any stretch of time with its baseline.

    Sealed rows count as all others, and there may be millions; nothing is triggered by what is found.
    """
    from datetime import UTC, datetime

    from monitoring.retraining.long_range import measure_range
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    begin, end = (None if time is None else time.replace(tzinfo=UTC) for time in (since, until))
    found = measure_range(load_params(paths.params), paths, begin, end, now=datetime.now(UTC))
    if as_json:
        click.echo(found.model_dump_json())
        return
    for name, column in found.columns.items():
        word = "drifted" if column.drifted else "as before"
        click.echo(f"{name}: {word}, p {column.p_adjusted:.2g} ({column.test}), effect {column.effect:.3f}")
    for name, reason in found.skipped.items():
        click.echo(f"{name}: skipped, {reason}")


@log_group.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a row."""
    from monitoring.log.rows import LogRow

    click.echo(json.dumps(LogRow.model_json_schema(), indent=2))
