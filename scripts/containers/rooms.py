"""Run a part as its container would: own mounts, a root that cannot be written, the image's user. Linux, as root."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.containers.image import Image
from scripts.containers.parts import Part

_SECONDS_TO_END = 60.0


@dataclass
class Rooms:
    """Starts parts, and keeps those that run; what they print goes to `work`/NAME.log."""

    image: Image
    work: Path
    hosts: Path
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def make_volumes(self, parts: dict[str, Part]) -> None:
        """Give new volumes the owner and the content that the image has at their place; make places that it lacks."""
        for mount in (one for part in parts.values() for one in part.mounts):
            place = self.image.root / mount.target[1:]
            if not mount.source.exists():
                subprocess.run(["cp", "--archive", str(place), str(mount.source)], check=True)  # noqa: S603, S607 - Debian's
            elif mount.source.is_file():
                place.touch()

    def start(self, part: Part) -> None:
        """Start a part, which then runs until `stop`."""
        with (self.work / f"{part.name}.log").open("ab") as log:
            self.running[part.name] = subprocess.Popen(  # noqa: S603 - our own command
                self._command(part), env=dict(part.environment), stdout=log, stderr=log
            )

    def stop(self, name: str) -> int:
        """End a part as `docker stop` does, by force if it takes long; gives its exit status, then -9."""
        process = self.running.pop(name)
        process.terminate()
        try:
            return process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def call(self, part: Part, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command in the surroundings of a part, to its end."""
        called = part.calling(*command) if command else part
        done = subprocess.run(  # noqa: S603 - our own command
            self._command(called), env=dict(part.environment), capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{part.name}: {shlex.join(called.command)}: {done.stdout}{done.stderr}")
        return done

    def alive(self) -> set[str]:
        """Name the parts that run."""
        return {name for name, process in self.running.items() if process.poll() is None}

    def _command(self, part: Part) -> list[str]:
        """Make the mounts in a namespace of the part's own, then become the image's user inside."""
        root, user = shlex.quote(str(self.image.root)), self.image.user
        lines = [
            "set -e",
            f"mount --bind {root} {root}",
            *(_bind(mount.source, self.image.root, mount.target, read_only=mount.read_only) for mount in part.mounts),
            _bind(self.hosts, self.image.root, "/etc/hosts", read_only=True),
            *(f"mount -t tmpfs -o mode=1777 tmpfs {root}{place}" for place in part.temporary),
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            f"mount -o remount,bind,ro {root}",
            f"exec chroot --userspec={user}:{user} --groups={user} {root} "
            f"/usr/bin/env --chdir={self.image.working_dir} {shlex.join(part.command)}",
        ]
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", "\n".join(lines)]


def _bind(source: Path, root: Path, target: str, *, read_only: bool) -> str:
    place = shlex.quote(f"{root}{target}")
    bind = f"mount --bind {shlex.quote(str(source))} {place}"
    return f"{bind}\nmount -o remount,bind,ro {place}" if read_only else bind


@contextmanager
def ended(rooms: Rooms) -> Iterator[Rooms]:
    """End what still runs when the block ends."""
    try:
        yield rooms
    finally:
        for name in list(rooms.running):
            rooms.stop(name)
