"""Read and write parameters as YAML, comments kept."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from models.errors import ConfigError


def read_values(path: Path, remedy: str = "correct the file or take it from git") -> dict[str, Any]:
    """Read a file of parameters unchecked, comments kept; an empty one holds no values.

    Args:
        path: the file.
        remedy: what a person can do where it is damaged.

    Raises:
        ConfigError: missing, unreadable or damaged file.
    """
    try:
        raw = parse_values(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"a parameter file at {path}", "no such file", "run from a checkout or pass --root"
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"valid YAML in {path}", _reason(error), remedy) from error
    except OSError as error:
        raise ConfigError(f"a readable file at {path}", error.strerror or str(error), remedy) from error
    if not isinstance(raw, dict):
        raise ConfigError(f"sections in {path}", "a list" if isinstance(raw, list) else "a single value", remedy)
    return raw


def parse_values(text: str) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """Parse YAML, comments kept; an empty text holds no values."""
    raw = _yaml().load(text)
    return {} if raw is None else raw


def format_values(values: dict[str, Any]) -> str:
    """Format parameters as YAML; comments of those that `read_values` gave are kept."""
    stream = io.StringIO()
    _yaml().dump(values, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")  # ruamel, as DVC: PyYAML would read 1e-4 as a string
    yaml.width = 120
    yaml.preserve_quotes = True  # without them "::1" in a list of one line could not be read again
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _reason(error: Exception) -> str:
    """Give what is wrong, and in which line, in one line."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or error.context} in line {error.problem_mark.line + 1}"
    return str(error).splitlines()[0]
