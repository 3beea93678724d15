"""The steps of the check, in order; each raises when it fails."""

import io
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image as Pillow

from pipeline.config.load import write_params
from scripts.containers.image import ROOT
from scripts.containers.parts import Part
from scripts.containers.rooms import Rooms
from scripts.containers.stand_ins import wait_for

_SERVICE = "http://127.0.0.1:8000"
_ANSWERS = {
    "prefect": "http://127.0.0.1:4200/api/health",
    "mlflow": "http://127.0.0.1:5000/health",
    "drift": "http://127.0.0.1:8080/",
    "service": f"{_SERVICE}/readyz",
}
_SMALL = {
    "data.sampler.identities": 40, "data.sampler.views": 1, "validate.min_portraits": 20, "train.epochs": 1,
    "train.steps_per_epoch": 2, "train.batch_size": 4, "evaluate.bootstrap": 200, "evaluate.latency_runs": 1,
    "evaluate.worst_cases": 4,
}  # fmt: skip
"""Parameters of a cycle of minutes, whose figures mean nothing."""
_REFUSED = re.compile(r"read-only file system|\[Errno 30\]|permission denied", re.I)
_SECONDS = 300.0


def say(line: str) -> None:
    """Print what was found, at once."""
    print(line, flush=True)


@dataclass
class Steps:
    """Runs the steps with the parts of infra/compose.yaml."""

    rooms: Rooms
    parts: dict[str, Part]
    volumes: Path
    figures: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Run all; gives what was observed."""
        write_params(ROOT / "params.yaml", self.volumes / "likeness" / "params.yaml", _SMALL)
        for step in (
            self.libraries, self.up, self.restore, self.read_only, self.cycle, self.promoted, self.restarts, self.again,
            self.refusals,
        ):  # fmt: skip
            began = time.monotonic()
            step()
            self.figures.setdefault(step.__name__, "as expected")
            say(f"{step.__name__}: {time.monotonic() - began:.0f} s, {self.figures[step.__name__]}")
        return self.figures

    def libraries(self) -> None:
        """OpenCV loads without libGL, and this is not root."""
        told = "import cv2, os; print(os.getuid(), cv2.__version__)"
        self.figures["libraries"] = self.rooms.call(self.parts["worker"], "python", "-c", told).stdout.strip()
        assert not list((self.rooms.image.root / "usr/lib").rglob("libGL.so*"))

    def up(self) -> None:
        """Start all in the order of depends_on; buckets twice, as a second `compose up` does."""
        for _ in range(2):
            wait_for("buckets", lambda: self.rooms.call(self.parts["buckets"]), AssertionError)
        took = {name: self._start(name) for name in ("prefect", "mlflow")}
        for _ in range(2):
            say(self.rooms.call(self.parts["deploy"]).stdout.strip())
        took |= {name: self._start(name) for name in ("worker", "drift", "service")}
        for address in ("http://127.0.0.1:4200/", "http://127.0.0.1:8080/"):
            assert "<script" in httpx.get(address, follow_redirects=True, timeout=30).text, address
        self.figures["up"] = {name: f"{seconds:.0f} s" for name, seconds in took.items()}

    def restore(self) -> None:
        """Restore, keep, answer, review, look at pages, delete."""
        answer = self._restored()
        seen = {
            path: self._ask("admin", path).status_code
            for path in ("/", "/status", "/v1/status", "/metrics", "/review", "/v1/reviews", "/docs")
        }
        assert set(seen.values()) == {200}, seen
        name = f"/v1/restorations/{answer['request_id']}"
        self._ask("restore", f"{name}/feedback", json={"recognised": True})
        assert len(self._ask("review", f"{name}/pictures").json()["pictures"]) == 3
        self._ask("review", f"{name}/review", json={"same_person": True, "invented": []})
        with self._client("admin") as client:
            assert client.delete("/v1/subjects/somebody").json() == {"deleted": 1}
        self.figures["restore"] = {"mode": answer["mode"], "version": answer["model_version"], "pages": len(seen)}

    def read_only(self) -> None:
        """The service writes to its own folder and nowhere else; a part of ours cannot write the image."""
        service, worker = self.parts["service"], self.parts["worker"]
        below = ("", "/state", "/state/production", "/state/cycles", "/state/dvc-cache", "/state/prefect")
        places = ["/app", "/opt/venv/bin", "/usr/bin", "/var/tmp", *(f"/var/lib/likeness{end}" for end in below)]  # noqa: S108
        script = "for place; do touch $place/found 2>/dev/null && echo $place; done; true"
        written = self.rooms.call(service, "sh", "-c", script, "sh", *places).stdout
        assert written == "", written
        assert self.rooms.call(service, "sh", "-c", script, "sh", "/var/lib/likeness-service", "/tmp").stdout  # noqa: S108
        assert self.rooms.call(worker, "sh", "-c", script, "sh", *places[:4]).stdout == ""
        names = [name for name in service.environment if name.startswith(("PREFECT", "AWS"))]
        assert names == [], names
        for database in ("prefect", "mlflow"):
            address = service.environment["LIKENESS_LOG_URL"].replace("+psycopg2", "").rpartition("/")[0]
            told = f"import psycopg2; psycopg2.connect('{address}/{database}')"
            assert "permission denied" in self.rooms.call(service, "python", "-c", told, check=False).stderr

    def cycle(self) -> None:
        """Let the worker run a cycle that Prefect gives it."""
        run = ("prefect", "deployment", "run", "cycle/production", "--param", "reason=check", "--watch")
        began = time.monotonic()
        done = self.rooms.call(self.parts["worker"], *run, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self._runs_log()[-4000:]}"
        models = self._worker("models", "--json")
        self.figures["cycle"] = {"seconds": round(time.monotonic() - began), "versions": len(models.splitlines())}

    def promoted(self) -> None:
        """Promote the version; the service loads it from the registry and restores with it."""
        promoted = self._worker("promote", "1")
        self._wait("the new champion", lambda: self._serves("1"))
        answer = self._restored()
        assert answer["model_version"] == "1", answer
        self.figures["promoted"] = promoted.splitlines()[-1]

    def restarts(self) -> None:
        """Restart each part; all answer again, and the same model serves."""
        took = {}
        for name in ("prefect", "mlflow", "worker", "drift", "service"):
            status = self.rooms.stop(name)
            took[name] = f"status {status}, {self._start(name):.0f} s"
        self._wait("the champion", lambda: self._serves("1"))
        assert self._restored()["model_version"] == "1"
        self.figures["restarts"] = took

    def again(self) -> None:
        """Have a restarted worker run another flow, which also checks the log's chain."""
        run = ("prefect", "deployment", "run", "housekeeping/production", "--watch")
        done = self.rooms.call(self.parts["worker"], *run, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self._runs_log()[-4000:]}"
        self.figures["again"] = self._worker("audit", "verify").splitlines()[0]

    def refusals(self) -> None:
        """No log tells of a place that could not be written."""
        logs = {file.name: file.read_text(errors="replace") for file in self.rooms.work.glob("*.log")}
        logs["runs.log"] = self._runs_log()
        refused = {name: [line for line in text.splitlines() if _REFUSED.search(line)] for name, text in logs.items()}
        refused["postgres.log"] = []  # the service was refused there on purpose
        found = {name: lines[:5] for name, lines in refused.items() if lines}
        assert found == {}, found
        assert self.rooms.alive() == set(_ANSWERS) | {"worker"}
        listed = subprocess.run(["ls", "-A", self.volumes / "service"], capture_output=True, text=True, check=True)  # noqa: S603, S607
        self.figures["refusals"] = {"none; the service's folder holds": listed.stdout.split()}

    def _start(self, name: str) -> float:
        self.rooms.start(self.parts[name])
        if name not in _ANSWERS:
            return 0.0
        return self._wait(name, lambda: httpx.get(_ANSWERS[name], timeout=5).raise_for_status())

    def _wait(self, what: str, ask: Callable[[], object]) -> float:
        return wait_for(what, ask, httpx.HTTPError, AssertionError, seconds=_SECONDS)

    def _serves(self, version: str) -> None:
        found = httpx.get(f"{_SERVICE}/readyz", timeout=5).json()
        assert found["champion"] == version, found

    def _worker(self, *command: str) -> str:
        return self.rooms.call(self.parts["worker"], "likeness", *command).stdout

    def _runs_log(self) -> str:
        file = self.volumes / "likeness" / "state" / "logs" / "runs.log"
        return file.read_text(errors="replace") if file.is_file() else ""

    def _client(self, role: str) -> httpx.Client:
        if role not in self.tokens:
            new = ("likeness", "token", "new", "--role", role, "--name", "check")
            self.tokens[role] = self.rooms.call(self.parts["service"], *new).stdout.strip()
        return httpx.Client(base_url=_SERVICE, headers={"Authorization": f"Bearer {self.tokens[role]}"}, timeout=120)

    def _ask(self, role: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        with self._client(role) as client:
            answer = client.request("POST" if sent else "GET", path, **sent)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def _restored(self) -> dict[str, Any]:
        """Send a portrait with a hole, to be kept."""
        from skimage import data

        photo = np.ascontiguousarray(data.astronaut()[0:200, 140:320])
        mask = np.zeros(photo.shape[:2], np.uint8)
        mask[90:120, 80:112] = 255
        files = {name: _png(pixels) for name, pixels in (("image", photo), ("mask", mask))}
        with self._client("restore") as client:
            answer = client.post(
                "/v1/restorations",
                files=files,
                data={"subject": "somebody", "keep_basis": "a check", "picture": "none"},
            )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["kept"]
        return found


def _png(pixels: "np.ndarray[Any, Any]") -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
