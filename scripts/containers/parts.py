"""Read from infra/compose.yaml how each part of the image is run: command, environment, volumes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.containers.image import ROOT, Image

COMPOSE = ROOT / "infra" / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(\w+)(?::[-?][^}]*)?\}")


@dataclass(frozen=True)
class Mount:
    """A folder or file of this machine, at a path of the container."""

    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True)
class Part:
    """One part: what it executes, with which environment, and what it sees besides the image's files."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    temporary: tuple[str, ...]

    def calling(self, *command: str) -> "Part":
        """Give the same part with another command, as `docker compose exec` would run it."""
        return Part(self.name, command, self.environment, self.mounts, self.temporary)


def variables() -> set[str]:
    """List the variables that the file takes from its environment."""
    return set(_VARIABLE.findall(COMPOSE.read_text(encoding="utf-8")))


def read_parts(image: Image, volumes: Path, values: Mapping[str, str]) -> dict[str, Part]:
    """Read the parts that run from our image.

    Args:
        image: mounted.
        volumes: folder of the named volumes.
        values: of the file's variables.
    """
    own = {name: one for name, one in _services().items() if "build" in one}
    return {name: _part(name, one, image, volumes, values) for name, one in own.items()}


def host_names() -> list[str]:
    """List the names by which parts reach each other."""
    return list(_services())


def _services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = YAML(typ="safe").load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return found


def _part(name: str, service: Mapping[str, Any], image: Image, volumes: Path, values: Mapping[str, str]) -> Part:
    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda found: values.get(found[1], ""), text)

    command = tuple(map(filled, (*service.get("entrypoint", image.entrypoint), *service.get("command", ()))))
    given = {key: filled(value) for key, value in service.get("environment", {}).items()}
    environment = {**image.environment, "HOME": "/home/likeness", **given}
    mounts = tuple(_mount(entry, volumes) for entry in service.get("volumes", ()))
    temporary = tuple(entry.partition(":")[0] for entry in service.get("tmpfs", ()))
    return Part(name, command, environment, mounts, temporary)


def _mount(entry: str, volumes: Path) -> Mount:
    source, target, *mode = entry.split(":")
    place = COMPOSE.parent / source if source.startswith(".") else volumes / source
    return Mount(place.resolve(), target, mode == ["ro"])
