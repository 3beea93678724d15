"""A copy of a workspace with the real service on it, as a process of its own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from models.assets import ASSETS
from models.images import Image
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.config.load import load_params
from pipeline.damage.draw import apply
from pipeline.damage.sampler import DamageSampler
from pipeline.face_sampler.generate import portraits
from pipeline.project.paths import Paths

SIDE = 256
_START_SECONDS = 240.0
_MEBIBYTE = 2**20
_UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
ELSEWHERE = frozenset(
    {"LIKENESS_MLFLOW_URI", "LIKENESS_LOG_URL", "LIKENESS_LOG_KEY", "LIKENESS_SERVICE_STATE", "LIKENESS_ALERT_URLS"}
    | {"LIKENESS_WEBHOOK", "LIKENESS_SMTP"}
)
"""Variables that would lead the service to what an installation owns, or let it write to people."""
_LEFT = ("production.sqlite*", "watch.json", "last-look", "keys", "logs", "served.json")


@dataclass(frozen=True)
class Served:
    """The running service: its address and its process."""

    address: str
    process: psutil.Process
    paths: Paths

    def mebibytes(self) -> float:
        """Resident memory of the process and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return float(sum(one.memory_info().rss for one in family)) / _MEBIBYTE

    def cpu_seconds(self) -> float:
        """CPU time that the process has used since it was started."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def stage_seconds(self) -> dict[str, float]:
        """Seconds that each stage of a request has taken in all, as /metrics tells."""
        metrics_text = httpx.get(f"{self.address}/metrics", timeout=30.0, trust_env=False).text
        samples = [sample for family in text_string_to_metric_families(metrics_text) for sample in family.samples]
        return {one.labels["stage"]: one.value for one in samples if one.name == "likeness_stage_seconds_sum"}


def copy_workspace(workspace: Path, target: Path) -> Paths:
    """Copy what serves: registry, evaluation and this project's parameters; not the log of earlier requests."""
    shutil.copytree(workspace / "state", target / "state", ignore=shutil.ignore_patterns(*_LEFT, "prefect"))
    for part in ("data/reports", "data/champion"):
        shutil.copytree(workspace / part, target / part)
    shutil.copy(ASSETS.parent / "params.yaml", target)
    return Paths(target)


@contextmanager
def serving(paths: Paths, *, open_to_all: bool = True, registry: str = "") -> Iterator[Served]:
    """`likeness serve` on a free port, by default with `--open`, ready; it is ended with the block.

    Args:
        paths: of the workspace.
        open_to_all: without tokens.
        registry: address of an MLflow server; by default the workspace's own database.

    Raises:
        RuntimeError: it did not become ready in time; its last words are in the message.
    """
    log = paths.root / "service.log"
    command = [str(Path(sys.executable).with_name("likeness")), "serve", "--port", "0", "--root", str(paths.root)]
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE} | _UNBUFFERED
    environment |= {"LIKENESS_MLFLOW_URI": registry} if registry else {}
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, *(["--open"] if open_to_all else [])], stdout=stream, stderr=subprocess.STDOUT, env=environment
        )
    try:
        yield Served(_ready(process, log), psutil.Process(process.pid), paths)
    finally:
        process.terminate()
        process.wait(timeout=90)


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        addresses = [line.split()[2] for line in log.read_text().splitlines() if line.startswith("serving on ")]
        if addresses and _answers(addresses[0]):
            return addresses[0]
        time.sleep(0.3)
    raise RuntimeError(f"the service did not become ready: {log.read_text()[-800:]}")


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=5.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def photos(number: int, seed: int) -> list[dict[str, Any]]:
    """So many damaged portraits of nobody, 256 pixels, with masks, as form files; all damage that leaves holes."""
    masks = load_params(ASSETS.parent / "params.yaml").masks
    with_holes = masks.training.model_copy(update={"kind_weights": dict.fromkeys(("fade", "greyscale"), 0.0)})
    sampler = DamageSampler(masks.model_copy(update={"training": with_holes}), training=True)
    found = []
    for index, portrait in enumerate(
        portraits(SamplerParams(identities=number, views=1, seed=seed, population=EVERYBODY))
    ):
        damage, _ = sampler.sample(np.random.default_rng([seed, index]), portrait.landmarks, portrait.image.shape[0])
        mask = np.where(damage.hole, 255, 0).astype(np.uint8)
        image = _png(cv2.cvtColor(apply(portrait.image, damage), cv2.COLOR_RGB2BGR), cv2.INTER_CUBIC)
        found.append({"image": ("photo.png", image), "mask": ("mask.png", _png(mask, cv2.INTER_NEAREST))})
    return found


def _png(image: Image, interpolation: int) -> bytes:
    done, encoded = cv2.imencode(".png", cv2.resize(image, (SIDE, SIDE), interpolation=interpolation))
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return bytes(encoded)
