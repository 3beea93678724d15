"""Options that several commands share."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from models.assets import ASSETS
from models.errors import ConfigError
from pipeline.project.environment import user_state
from pipeline.project.printable import printable


def default_root() -> Path:
    """Give the current folder if it has a params.yaml, else the checkout that this command was installed from."""
    here = Path.cwd()
    return here if (here / "params.yaml").is_file() else ASSETS.parent


@dataclass(frozen=True)
class RestoringPlace:
    """Where restoring photos takes its parameters from, and where it keeps its state (keys, a registry)."""

    params: Path
    root: Path


def restoring_place(root: Path | None) -> RestoringPlace:
    """Give the place for restoring photos: `root`, else the current folder if it is a checkout.

    Outside a checkout the installed parameters count, and state goes to the user's own folder, never into the
    installation, which may belong to somebody else or be read-only.
    """
    here = Path.cwd()
    chosen = root if root is not None else here if (here / "params.yaml").is_file() else None
    if chosen is not None:
        return RestoringPlace(chosen.resolve() / "params.yaml", chosen.resolve())
    return RestoringPlace(ASSETS.parent / "params.yaml", user_state())


root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_root,
    help="The checkout to work in [default: the current folder if it has a params.yaml, else the installed one].",
)


def say(line: str, *, err: bool = False) -> None:
    """Print a line; characters that control a terminal, or that its encoding lacks, are escaped."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    click.echo(printable(line, len(line) * 10).encode(encoding, "backslashreplace").decode(encoding), err=err)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings_option(command: Any) -> Any:  # noqa: ANN401 - click's decorators are untyped in this respect
    """Add the option `--set train.epochs=4`, which may be given several times."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change a value of params.yaml, as train.epochs=4; may be given several times.",
    )(command)


def parse_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Parse ("train.epochs=4",) to {"train.epochs": 4}; values are YAML, as in params.yaml.

    Raises:
        click.BadParameter: no `=` in a setting.
        ConfigError: a value that is no YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    overrides = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not key or not separator:
            raise click.BadParameter(f"expected KEY=VALUE, got {setting!r}", param_hint="setting")
        try:
            overrides[key] = YAML(typ="safe").load(value)
        except YAMLError as error:
            raise ConfigError(f"valid YAML as the value of {key}", value, "quote it, as 'text'") from error
    return overrides
