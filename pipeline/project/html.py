"""Render pages from templates: every text is escaped, a missing name is an error."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def template_environment(
    *folders: tuple[str, str], filters: Mapping[str, Callable[..., Any]] | None = None
) -> Environment:
    """Make an environment for templates, looked for in each folder in turn.

    Args:
        folders: package and folder within it, such as ("pipeline", "templates").
        filters: functions that the templates call by name, besides Jinja's own.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, folder) for package, folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters or {}
    return environment
