"""`likeness params`: show the parameters that count, and where each stands; set and unset own values."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import json_option, parse_settings, root_option, say

if TYPE_CHECKING:
    from pipeline.workspaces.overlay import Value


class ShowByDefault(click.Group):
    """A group whose command `show` needs no name: `likeness params gate` shows the section `gate`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` first, unless a command or help is asked for."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("params", cls=ShowByDefault)
def params_group() -> None:
    r"""Show the parameters that count; set and unset this installation's own values.

    Own values stand in local/params.yaml, which git does not track, and count over params.yaml: for every command, flow
    and stage, and for a service when it starts.

    \b
    likeness params                         all values
    likeness params gate                    those of a section; a key as train.epochs: this one
    likeness params --own                   own values alone
    likeness params set train.epochs 4
    likeness params set data.source=folder data.location=/photos
    likeness params unset train.epochs      the value of params.yaml counts again
    """


@params_group.command("show")
@click.argument("key", default="", metavar="[SECTION|KEY]")
@click.option("--own", is_flag=True, help="Show own values alone.")
@json_option
@root_option
def show_command(key: str, own: bool, as_json: bool, root: Path) -> None:
    """Show the values that count; `likeness params` alone does this."""
    from pipeline.workspaces.overlay import list_values

    listed = list_values(root / "params.yaml", key)
    shown = {name: value for name, value in listed.items() if value.own or not own}
    if as_json:
        click.echo(json.dumps({name: _fields(value) for name, value in shown.items()}, indent=2))
        return
    lines = {name: f"{name}: {_text(value.value)}" for name, value in shown.items()}
    width = min(60, max((len(line) for line in lines.values()), default=0))
    for name, value in shown.items():
        say(f"{lines[name]:<{width}}  # {value.place}; {_tracked(value)}" if value.own else lines[name])
    if own and not shown:
        say("no own values; all are those of params.yaml", err=True)


@params_group.command("set", context_settings={"ignore_unknown_options": True})  # of values: -1
@click.argument("settings", nargs=-1, required=True, metavar="KEY VALUE | KEY=VALUE...")
@root_option
def set_command(settings: tuple[str, ...], root: Path) -> None:
    """Set own values, all of them or none; VALUE is YAML, as in params.yaml.

    What would not be admitted is not written. Mappings, as masks.kinds, are merged with those of params.yaml.
    """
    from pipeline.values.overlay import overlay_of
    from pipeline.workspaces.overlay import list_values, set_own_values

    pair = len(settings) == 2 and "=" not in settings[0]
    values = parse_settings(("=".join(settings),) if pair else settings)
    set_own_values(root / "params.yaml", values)
    for key in values:
        for name, value in list_values(root / "params.yaml", key).items():
            say(f"{name}: {_text(value.value)}")
    say(f"in {overlay_of(root / 'params.yaml')}", err=True)


@params_group.command("unset")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@root_option
def unset_command(keys: tuple[str, ...], root: Path) -> None:
    """Remove own values, or all those of a section; the values of params.yaml count again."""
    from pipeline.config.load import load_params
    from pipeline.workspaces.overlay import unset_own_values

    unset_own_values(root / "params.yaml", keys)
    load_params(root / "params.yaml")  # what is still wrong is told
    say(f"removed {', '.join(keys)}")


def _fields(value: "Value") -> dict[str, Any]:
    """Give what JSON tells of a value; `params.yaml` is its value there, where an own one counts."""
    fields = {"value": value.value, "from": value.place}
    return fields | ({"params.yaml": value.tracked[0]} if value.own and value.tracked else {})


def _tracked(value: "Value") -> str:
    return f"params.yaml: {_text(value.tracked[0])}" if value.tracked else "not in params.yaml"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
