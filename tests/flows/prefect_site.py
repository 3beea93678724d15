"""A project whose stages cost nothing, and a real Prefect server and worker that run its cycles."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.local.services import parts
from flows.local.supervisor import Running, Supervisor
from pipeline.config.load import write_params
from pipeline.project.paths import Paths
from pipeline.stages import ORDER
from tests.conftest import ROOT
from tests.mlflow_database import lay_database
from tests.pipeline.registry.site import lay_out

STAGE = """\
import shutil, sys, time
from pathlib import Path

if sys.argv[1] == "ingest":
    with open("state/began", "a") as stream:
        stream.write("x")
    deadline = time.monotonic() + 400
    while Path("state/hold").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
if sys.argv[1] == "gate":
    number = len(Path("state/began").read_text())
    shutil.copytree(Path({trained!r}, str(number)), ".", dirs_exist_ok=True)
"""

PASSES_ON = "import runpy, sys\nsys.argv = ['stage.py', sys.argv[3]]\nrunpy.run_path('stage.py', run_name='__main__')\n"
"""Stands in for `python -m dvc repro --single-item STAGE` in a checkout: a quarter of a second instead of several."""


def project(root: Path, *, cycles: int = 0, dvc: bool = True, **overrides: Any) -> Paths:
    """A git checkout; each of its cycles adds a letter to state/began, and lasts as long as state/hold is there.

    What so many `cycles` train and judge is laid beside the checkout beforehand, as in a stage it would cost seconds of
    imports. Without `dvc`, `PASSES_ON` stands in for it.
    """
    root.mkdir(parents=True)
    trained = root.parent / "trained"
    for number in range(1, cycles + 1):
        lay_out(Paths(trained / str(number)), seed=number)
    stages = "".join(f"  {name}:\n    cmd: python stage.py {name}\n" for name in ORDER)
    (root / "dvc.yaml").write_text(f"stages:\n{stages}", encoding="utf-8")
    (root / "stage.py").write_text(STAGE.format(trained=str(trained)), encoding="utf-8")
    if not dvc:
        (root / "dvc.py").write_text(PASSES_ON, encoding="utf-8")
    (root / ".gitignore").write_text("state/\n", encoding="utf-8")
    write_params(ROOT / "params.yaml", root / "params.yaml", overrides)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    commit(root)
    paths = Paths(root)
    lay_database(paths.mlflow_database)
    return paths


def commit(root: Path) -> None:
    """All files as they are now: cycles run at what is committed."""
    author = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in (["add", "."], ["commit", "-qm", "as it is now"]):
        subprocess.run(["git", *command], cwd=root, check=True, env=os.environ | author)


def free_port(count: int) -> int:
    """The first of `count` ports in a row that nobody listens at."""
    for port in range(21000 + os.getpid() % 20000, 65000, count):
        with contextmanager_sockets(port, count) as free:
            if free:
                return port
    raise AssertionError("no free ports")


@contextmanager
def contextmanager_sockets(port: int, count: int) -> Iterator[bool]:
    """Whether all of them can be taken now."""
    taken = [socket.socket() for _ in range(count)]
    try:
        for offset, probe in enumerate(taken):
            probe.bind(("127.0.0.1", port + offset))
        yield True
    except OSError:
        yield False
    finally:
        for probe in taken:
            probe.close()


@contextmanager
def supervised(paths: Paths, *names: str) -> Iterator[Supervisor]:
    """Some parts of `likeness up`, watched over as `likeness up` does, until the block ends."""
    port = free_port(4)
    for folder in (paths.logs, paths.prefect_home, paths.evidently_workspace):
        folder.mkdir(parents=True, exist_ok=True)
    wanted = tuple(part for part in parts(paths, port) if part.name in names)
    supervisor = Supervisor(paths, Running(mark=f"test-{port}", port=port), wanted)
    thread = threading.Thread(target=supervisor.supervise, daemon=True)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.stopped.set()
        thread.join(60)
        supervisor.stop()


def until(
    true: Callable[[], object], seconds: float, what: str, told: Callable[[], object] = str, pause: float = 0.3
) -> None:
    """Wait for something to become true; `told` is asked what to say where it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s; {told()}"
        time.sleep(pause)


def began(paths: Paths) -> int:
    """How many cycles really began."""
    file = paths.state / "began"
    return len(file.read_text(encoding="utf-8")) if file.is_file() else 0
