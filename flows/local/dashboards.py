"""List all pages: their addresses, whether they answer, and the commands that start or make them."""

import shlex
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from flows.local.services import Part, child_environment, is_answering, parts
from flows.local.up import is_started, read_running
from pipeline.project.paths import Paths

_ABOUT = {
    "service": "restore a photo",
    "status": "the state of everything, in plain words",
    "prefect": "past, current and scheduled runs",
    "mlflow": "all trainings with their figures; the model registry",
    "drift": "traffic against the baseline, window by window (Evidently)",
}


class Page(BaseModel):
    """One page. `answers`: it is available now. `start`: the command that starts or makes it."""

    model_config = ConfigDict(frozen=True)

    name: str
    about: str
    address: str
    answers: bool
    start: str


def pages(paths: Paths, port: int | None) -> list[Page]:
    """List the pages of the servers of `likeness up`, then those that are files.

    Args:
        paths: of the checkout.
        port: of the first server; None = that of the checkout, whose servers answer only if `likeness up` started them:
            another checkout's may use the same ports.
    """
    asked = port is not None or is_started(paths)
    port = read_running(paths).port if port is None else port
    served = [part for part in parts(paths, port) if part.url]
    with ThreadPoolExecutor(len(served)) as pool:
        answers = pool.map(lambda part: asked and is_answering(part), served)
        available = dict(zip((part.name for part in served), answers, strict=True))
    server_pages = {part.name: _server(part, paths, port, available=available[part.name]) for part in served}
    service = server_pages["service"]
    status = service.model_copy(
        update={"name": "status", "about": _ABOUT["status"], "address": f"{service.address}/status"}
    )
    return [service, status, *(server_pages[name] for name in ("prefect", "mlflow", "drift")), *_files(paths)]


def _server(part: Part, paths: Paths, port: int, *, available: bool) -> Page:
    command = [Path(word).name if word in (sys.executable, part.command[0]) else word for word in part.command]
    needs = {name: value for name, value in child_environment(paths, port).items() if name == "PREFECT_HOME"}
    before = [f"{name}={shlex.quote(value)}" for name, value in needs.items() if part.name == "prefect"]
    start = " ".join([*before, shlex.join(command)])
    return Page(name=part.name, about=_ABOUT[part.name], address=part.url, answers=available, start=start)


def _files(paths: Paths) -> list[Page]:
    """List the pages that stages and studies write: those of the root, or else those of the champion's cycle."""
    root = shlex.quote(str(paths.root))
    stage = f"cd {root} && dvc repro"
    stage_pages: tuple[tuple[str, str, Callable[[Paths], Path], str], ...] = (
        (
            "data docs",
            "the checks of the data",
            lambda here: here.validation_docs / "index.html",
            f"{stage} validate",
        ),
        ("evaluation", "before and after, worst cases first", lambda here: here.evaluation_html, f"{stage} evaluate"),
        (
            "studies",
            "from how much damage on the model invents, and why",
            lambda here: here.ablation_html,
            f"likeness ablate --root {root}",
        ),
    )
    return [_file(paths, name, about, place, start) for name, about, place, start in stage_pages]


def _file(paths: Paths, name: str, about: str, place: Callable[[Paths], Path], start: str) -> Page:
    own, champions = place(paths), place(Paths(paths.production))
    if champions.is_file() and not own.is_file():
        return Page(name=name, about=f"{about} (the champion's)", address=str(champions), answers=True, start=start)
    return Page(name=name, about=about, address=str(own), answers=own.is_file(), start=start)
