"""The service that is attacked: a process of its own, with tokens, over an empty checkout."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import httpx

from models.assets import ASSETS
from pipeline.config.load import Params, load_params
from pipeline.project.paths import Paths
from scripts.benchmarks.service.served_workspace import ELSEWHERE, Served, serving
from serving.http.auth import ROLES, new_token, revoke_token

_MEBIBYTE = 2**20
_RESET_PEAK = "5"
"""Written to clear_refs it sets VmHWM to what is resident now (proc(5))."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a process for one thing, and MiB that its resident memory grew by meanwhile."""

    cpu_seconds: float
    mebibytes: float


@dataclass(frozen=True)
class Victim:
    """A running service, its tokens by role and one revoked, and what it prints."""

    served: Served
    tokens: dict[str, str]
    log: Path

    @property
    def paths(self) -> Paths:
        return self.served.paths

    @property
    def pid(self) -> int:
        return int(self.served.process.pid)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        url = httpx.URL(self.served.address)
        return url.host, url.port or 80

    def client(self, role: str = "admin", seconds: float = 120.0) -> httpx.Client:
        """Speak with the token of a role."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        return httpx.Client(base_url=self.served.address, headers=headers, timeout=seconds, trust_env=False)

    def is_well(self) -> bool:
        """Tell whether it still runs and says that it is ready."""
        if not self.served.process.is_running():
            return False
        try:
            return self.client().get("/readyz").is_success
        except httpx.HTTPError:
            return False

    def measured(self, act: Callable[[], Result]) -> tuple[Result, Cost]:
        """Do something, and measure what it costs the service."""
        reset_peak(self.pid)
        cpu, resident = self.served.cpu_seconds(), _status(self.pid, "VmRSS")
        result = act()
        return result, Cost(self.served.cpu_seconds() - cpu, max(0.0, _status(self.pid, "VmHWM") - resident))


@dataclass(frozen=True)
class Siege:
    """The service under attack, a folder to work in, further files to send, seconds of fuzzing, a seed."""

    victim: Victim
    work: Path
    files: Path | None
    seconds: float
    seed: int

    @cached_property
    def params(self) -> Params:
        """Parameters of the service."""
        return load_params(self.victim.paths.params)


@contextmanager
def victim(folder: Path) -> Iterator[Victim]:
    """Start the service in a new folder; it ends with the block."""
    folder.mkdir(parents=True)
    shutil.copy(ASSETS.parent / "params.yaml", folder)
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    os.environ["LIKENESS_CACHE"] = str(folder / "cache")
    paths, now = Paths(folder), datetime.now(UTC)
    tokens: dict[str, str] = {role: new_token(paths, role, f"hostile {role}", now) for role in ROLES}
    tokens["revoked"] = new_token(paths, "admin", "hostile revoked", now)
    revoke_token(paths, tokens["revoked"].split("_")[1], now)
    with serving(paths, open_to_all=False) as served:
        yield Victim(served, tokens, folder / "service.log")


def reset_peak(pid: int) -> None:
    """Let the peak of a process's resident memory begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")


def peak_mebibytes(pid: int) -> float:
    """Peak of a process's resident memory since it was reset, MiB."""
    return _status(pid, "VmHWM")


def resident_mebibytes(pid: int) -> float:
    """Resident memory of a process, MiB."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / _MEBIBYTE
