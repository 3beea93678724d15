"""The supervisor: starts the parts, starts again what dies, adopts what a killed supervisor left behind."""

import logging
import threading
import time
from dataclasses import dataclass, field

import psutil
from pydantic import BaseModel, ConfigDict

from flows.local.processes import alive, end, end_marked, exit_status, leader, start
from flows.local.services import Part, answers, child_environment, taken
from models.errors import Busy
from pipeline.project.paths import Paths

log = logging.getLogger(__name__)
_TICK = 0.5
_LONGEST_PAUSE = 60.0
_SETTLED = 60.0  # a process that has lived so long starts again at once


class Running(BaseModel):
    """What `likeness up` has put into state/up.json."""

    model_config = ConfigDict(frozen=True)

    mark: str
    port: int
    supervisor: int = 0
    supervisor_began: float = 0.0


@dataclass
class Watched:
    """A part and how it is faring."""

    part: Part
    process: psutil.Process | None = None
    began: float = 0.0
    pause: float = 0.0
    not_before: float = 0.0
    done: bool = False


@dataclass
class Supervisor:
    """Keeps the parts running until it is told to stop."""

    paths: Paths
    running: Running
    wanted: tuple[Part, ...]
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.watched = {part.name: Watched(part) for part in self.wanted}
        self._environment = child_environment(self.paths, self.running.port)

    def adopt(self) -> list[str]:
        """Take over what a killed supervisor left behind, if it still answers; end what does not."""
        taken = []
        for name, watched in self.watched.items():
            found = leader(self.running.mark, name)
            if found is not None and not watched.part.once and (not watched.part.url or answers(watched.part)):
                watched.process, watched.began = found, time.monotonic()
                taken.append(name)
            else:
                self._clear(watched.part)
        return taken

    def refuse_taken_ports(self) -> None:
        """Say so before anything is started.

        Raises:
            Busy: somebody else listens at a port that a part needs.
        """
        for watched in self.watched.values():
            if watched.process is None and watched.part.url and taken(watched.part.url):
                raise Busy(
                    f"a free port for {watched.part.name}",
                    f"{watched.part.url} taken by another program",
                    "end that program, or choose other ports with --port",
                )

    def supervise(self) -> None:
        """Until `stopped` is set."""
        while not self.stopped.is_set():
            self.tick(time.monotonic())
            self.stopped.wait(_TICK)

    def tick(self, now: float) -> None:
        """Look once at every part; start what is due."""
        for watched in self.watched.values():
            if watched.process is not None and not alive(watched.process):
                self._ended(watched, now)
            due = watched.process is None and not watched.done and now >= watched.not_before
            if due and all(answers(self.watched[name].part) for name in watched.part.after):
                self._start(watched, now)

    def stop(self) -> None:
        """End all parts, those that need others first."""
        for watched in reversed(self.watched.values()):
            if watched.process is not None:
                end([watched.process], 15.0)
        end_marked(self.running.mark)

    def _ended(self, watched: Watched, now: float) -> None:
        status = exit_status(watched.process) if watched.process is not None else None
        watched.process = None
        if watched.part.once and status == 0:
            watched.done = True
            return
        watched.pause = 0.0 if now - watched.began >= _SETTLED else min(_LONGEST_PAUSE, max(1.0, 2 * watched.pause))
        watched.not_before = now + watched.pause
        log.warning("%s has ended (%s); again in %.0f s", watched.part.name, status, watched.pause)

    def _start(self, watched: Watched, now: float) -> None:
        self._clear(watched.part)
        file = self.paths.logs / f"{watched.part.name}.log"
        watched.process = start(watched.part.name, watched.part.command, self.running.mark, self._environment, file)
        watched.began = now

    def _clear(self, part: Part) -> None:
        """End what a dead server has left behind at its port; a worker's runs go on without it."""
        if part.url:
            end_marked(self.running.mark, part.name)
