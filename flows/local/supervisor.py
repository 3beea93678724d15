"""The supervisor: start the parts, restart what dies or hangs, adopt what a killed supervisor left running."""

import logging
import threading
import time
from dataclasses import dataclass, field

import psutil
from pydantic import BaseModel, ConfigDict

from flows.local.liveness import PERIOD_SECONDS, Liveness
from flows.local.processes import end_marked, exit_status, find_leader, is_alive, start
from flows.local.services import Part, child_environment, is_answering, is_port_taken
from models.errors import Busy
from pipeline.project.child_processes import end
from pipeline.project.paths import Paths

log = logging.getLogger(__name__)
_TICK = 0.5
_LONGEST_PAUSE = 60.0
_SETTLED = 60.0  # a process that has run this long is restarted at once


class Running(BaseModel):
    """The content of state/up.json; `root` and `folder` tell whose it is, where the state was copied or moved."""

    model_config = ConfigDict(frozen=True)

    mark: str
    port: int
    root: str = ""
    folder: str = ""
    supervisor: int = 0
    supervisor_began: float = 0.0


@dataclass
class Watched:
    """A part and its state."""

    part: Part
    process: psutil.Process | None = None
    began: float = 0.0
    pause: float = 0.0
    not_before: float = 0.0
    done: bool = False


@dataclass
class Supervisor:
    """Keep the parts running until `stopped` is set."""

    paths: Paths
    running: Running
    wanted: tuple[Part, ...]
    stopped: threading.Event = field(default_factory=threading.Event)
    liveness: Liveness = field(default_factory=Liveness)

    def __post_init__(self) -> None:
        self.watched = {part.name: Watched(part) for part in self.wanted}
        self._environment = child_environment(self.paths, self.running.port)

    def adopt(self) -> list[str]:
        """Adopt the parts that a killed supervisor left running, if they still answer; end the others."""
        adopted = []
        for name, watched in self.watched.items():
            process = find_leader(self.running.mark, name)
            if process is not None and not watched.part.once and (not watched.part.url or is_answering(watched.part)):
                watched.process, watched.began = process, time.monotonic()
                adopted.append(name)
            else:
                self._clear(watched.part)
        return adopted

    def refuse_taken_ports(self) -> None:
        """Check the ports before anything is started.

        Raises:
            Busy: another program uses a port that a part needs.
        """
        for watched in self.watched.values():
            if watched.process is None and watched.part.url and is_port_taken(watched.part.url):
                raise Busy(
                    f"a free port for {watched.part.name}",
                    f"{watched.part.url} used by another program",
                    "end that program, or choose other ports with --port",
                )

    def supervise(self) -> None:
        """Check the parts until `stopped` is set; probes, which may take seconds, have a thread of their own."""
        threading.Thread(target=self._probe, daemon=True).start()
        while not self.stopped.is_set():
            self.tick(time.monotonic())
            self.stopped.wait(_TICK)

    def tick(self, now: float) -> None:
        """Check every part once; start those that are due."""
        for watched in self.watched.values():
            if watched.process is not None and not is_alive(watched.process):
                self._ended(watched, now)
            elif watched.process is not None and self.liveness.is_hung(watched.process.pid):
                self._end_hung(watched.part, watched.process)
            due = watched.process is None and not watched.done and now >= watched.not_before
            if due and all(self._is_up(name) for name in watched.part.after):
                self._start(watched, now)

    def stop(self) -> None:
        """End all parts, dependent ones first."""
        for watched in reversed(self.watched.values()):
            if watched.process is not None:
                end([watched.process], 15.0)
        end_marked(self.running.mark)

    def _probe(self) -> None:
        while not self.stopped.wait(PERIOD_SECONDS):
            watched = [(one.part, one.process) for one in self.watched.values() if not one.part.once]
            self.liveness.look({process.pid: (part, process) for part, process in watched if process is not None})

    def _end_hung(self, part: Part, process: psutil.Process) -> None:
        """Kill a part that does not answer; the next look at it finds that it has ended, and starts it again."""
        log.warning("%s runs, but has not answered for a minute; it is killed and started again", part.name)
        process.kill()
        self._clear(part)

    def _is_up(self, name: str) -> bool:
        """Tell whether a part answers, or is done; one that is not wanted is nothing to wait for."""
        watched = self.watched.get(name)
        return watched is None or (watched.done if watched.part.once else is_answering(watched.part))

    def _ended(self, watched: Watched, now: float) -> None:
        status = exit_status(watched.process) if watched.process is not None else None
        watched.process = None
        if watched.part.once and status == 0:
            watched.done = True
            return
        watched.pause = 0.0 if now - watched.began >= _SETTLED else min(_LONGEST_PAUSE, max(1.0, 2 * watched.pause))
        watched.not_before = now + watched.pause
        log.warning("%s has ended with status %s; restart in %.0f s", watched.part.name, status, watched.pause)

    def _start(self, watched: Watched, now: float) -> None:
        self._clear(watched.part)
        file = self.paths.logs / f"{watched.part.name}.log"
        watched.process = start(watched.part.name, watched.part.command, self.running.mark, self._environment, file)
        watched.began = now

    def _clear(self, part: Part) -> None:
        """End the processes that a dead server has left at its port; the runs of a worker go on without it."""
        if part.url:
            end_marked(self.running.mark, part.name)
