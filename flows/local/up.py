"""Start and stop everything on one machine: `likeness up` and `likeness down`.

`state/up.json` has the mark of the processes (flows/local/processes.py), their ports and their supervisor. A file lock
tells whether a supervisor runs: `kill -9` releases it.
"""

import os
import secrets
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from pydantic import ValidationError

from flows.local.processes import end_marked, find_marked, find_process, is_alive, start
from flows.local.services import installed_command, is_answering, needs_tokens, parts
from flows.local.supervisor import Running, Supervisor
from models.errors import Busy, DataError, ServiceUnavailable
from pipeline.project.artifact_locations import relocate_artifacts
from pipeline.project.child_processes import end
from pipeline.project.files import write_text
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths

PORT = 4200
_TICK = 0.5
_START_SECONDS = 300.0


def up(paths: Paths, port: int | None, say: Callable[[str], None]) -> None:
    """Run everything until SIGTERM or Ctrl-C; adopt the processes that a killed supervisor left running.

    Raises:
        Busy: a supervisor already runs here, or another program uses one of the ports.
        DataError: the production log is of a newer version, or this role may not migrate it.
    """
    with _only_one(paths):
        before = read_running(paths)
        chosen = port or before.port
        if chosen != before.port or before.root not in {"", _root(paths)}:  # they lead to where the folder was
            end_marked(before.mark)
        running = before.model_copy(
            update={"port": chosen, "supervisor": os.getpid(), "supervisor_began": psutil.Process().create_time()}
        )
        supervisor = Supervisor(paths, running, parts(paths, chosen))
        adopted = supervisor.adopt()
        supervisor.refuse_taken_ports()
        _prepare(paths, running)
        _migrate_log(paths, say)
        relocate_artifacts(paths)
        say(
            f"still running, taken over: {', '.join(adopted)}"
            if adopted
            else "starting; the first time takes a minute or two"
        )
        threading.Thread(target=_report_when_up, args=(supervisor, say), daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stopped.set())
        try:
            supervisor.supervise()
        finally:
            say("stopping")
            supervisor.stop()
            _write(paths, running.model_copy(update={"supervisor": 0, "supervisor_began": 0.0}))


def detach(paths: Paths, port: int | None, say: Callable[[str], None]) -> None:
    """Run `up` in the background and wait until everything answers.

    Raises:
        ServiceUnavailable: the supervisor ended, or a part does not answer in time.
    """
    paths.logs.mkdir(parents=True, exist_ok=True)
    running = read_running(paths)
    if running.root in {"", _root(paths)}:  # else the supervisor ends what leads to where the folder was
        _write(paths, running)
    command = (installed_command("likeness"), "up", "--root", str(paths.root), "--port", str(port or running.port))
    file = paths.logs / "up.log"
    process = start("supervisor", command, running.mark, {}, file)
    wanted = [part for part in parts(paths, port or running.port) if part.url]
    deadline = time.monotonic() + _START_SECONDS
    while read_running(paths).supervisor != process.pid or not all(is_answering(part) for part in wanted):
        if not is_alive(process) or time.monotonic() > deadline:
            last = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise ServiceUnavailable("all processes to answer", last[0] if last else "nothing", f"see {paths.logs}")
        time.sleep(_TICK)
    for line in lines(paths):
        say(line)


def down(paths: Paths) -> bool:
    """Stop everything that `up` started here, also orphans; returns whether anything was running.

    Processes are identified by their mark, so no foreign process is ended.
    """
    if not paths.running.is_file():
        return False
    running = read_running(paths)
    supervisor = find_process(running.supervisor, running.supervisor_began) if running.supervisor else None
    was_running = supervisor is not None or bool(find_marked(running.mark))
    if supervisor is not None:
        end([supervisor], 90.0)
    end_marked(running.mark)
    _write(paths, running.model_copy(update={"supervisor": 0, "supervisor_began": 0.0}))
    return was_running


def is_started(paths: Paths) -> bool:
    """Tell whether any process runs that `up` started here, also without its supervisor."""
    return paths.running.is_file() and bool(find_marked(read_running(paths).mark))


def is_up(paths: Paths) -> bool:
    """Tell whether a supervisor runs."""
    try:
        with _only_one(paths):
            return False
    except Busy:
        return True


def refuse_other_port(paths: Paths, port: int | None) -> None:
    """Check that what runs here is at the port that was asked for, if any.

    Raises:
        Busy: it is at another port.
    """
    running = read_running(paths).port
    if port not in {None, running}:
        remedy = f"`{shlex.join(('likeness', 'down', '--root', str(paths.root)))}` stops it"
        raise Busy(f"nothing else in {paths.root}", f"what runs there at port {running}", remedy)


def lines(paths: Paths) -> list[str]:
    """List the addresses, and whether each answers; and what the service asks for."""
    served = [part for part in parts(paths, read_running(paths).port) if part.url]
    shown = [
        f"  {part.name:<8} {part.url}  {'answers' if is_answering(part) else 'DOES NOT ANSWER'}" for part in served
    ]
    if needs_tokens(paths):
        command = f"likeness token new --role restore --name NAME --root {shlex.quote(str(paths.root))}"
        shown.append(
            f"  the service asks for a token, because it has public names or keeps pictures of people: {command}"
        )
    return shown


def read_running(paths: Paths) -> Running:
    """Read state/up.json; without the file, or where it came along with a copy of the state, make a new mark.

    Raises:
        DataError: it is damaged.
    """
    if not paths.running.is_file():
        return Running(mark=secrets.token_hex(16), port=PORT)
    try:
        running = Running.model_validate_json(paths.running.read_bytes())
    except ValidationError as error:
        remedy = "delete it, and end by hand the processes of `likeness up` that still run"
        raise DataError(f"what `likeness up` wrote to {paths.running}", "a damaged file", remedy) from error
    if running.folder == _folder(paths) or running.root in {"", _root(paths)}:
        return running
    return Running(mark=secrets.token_hex(16), port=running.port)  # the processes are the other folder's


def _root(paths: Paths) -> str:
    return str(paths.root.resolve())


def _folder(paths: Paths) -> str:
    """Identify the folder of the state, also after it was moved."""
    found = paths.state.stat()
    return f"{found.st_dev}:{found.st_ino}"


@contextmanager
def _only_one(paths: Paths) -> Iterator[None]:
    busy = ("no other supervisor", f"one that runs in {paths.root}", "`likeness down` stops it")
    with hold_lock(paths.locks / "up.lock", seconds=0, busy=busy):
        yield


def _prepare(paths: Paths, running: Running) -> None:
    for folder in (paths.logs, paths.prefect_home, paths.evidently_workspace):
        folder.mkdir(parents=True, exist_ok=True)
    _write(paths, running)


def _migrate_log(paths: Paths, say: Callable[[str], None]) -> None:
    """Migrate the log by opening it. If its database does not answer yet, whoever opens it first migrates it."""
    from monitoring.log.production_log import open_log

    try:
        open_log(paths).close()
    except ServiceUnavailable as error:
        say(str(error))


def _write(paths: Paths, running: Running) -> None:
    place = {"root": _root(paths), "folder": _folder(paths)}
    write_text(paths.running, running.model_copy(update=place).model_dump_json(indent=1))


def _report_when_up(supervisor: Supervisor, say: Callable[[str], None]) -> None:
    shown = [part for part in supervisor.wanted if part.url]
    deadline = time.monotonic() + _START_SECONDS
    while not all(is_answering(part) for part in shown) and time.monotonic() < deadline:
        if supervisor.stopped.wait(_TICK):
            return
    for line in lines(supervisor.paths):
        say(line)
