"""A registered version in an environment of its own: no project beside it, the same picture and the same row."""

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.images import Image
from models.load import load_restorer
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import encoded, read_picture
from pipeline.project.paths import Paths
from restoration.files.requests import requests
from restoration.files.restore_files import Settings, restore_file
from restoration.find_damage import shipped_finder
from restoration.provenance.marking import open_seal
from restoration.types import load_tools
from tests.conftest import ROOT
from tests.pipeline.registry.site import NAME, lay_reports, params
from tests.restoration.registered.fresh import fresh_environment
from tests.restoration.registered.test_restore_bytes import UNLIKE
from tests.restoration.site import astronaut, box_over, tools
from tests.serving.mlflow_server import MlflowServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),  # several hundred megabytes are installed
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]

URI = f"models:/{NAME}@challenger"
CLIENT = """
import json, os, sys
from pathlib import Path
import mlflow, pandas as pd
folder = Path(sys.argv[2])
model = mlflow.pyfunc.load_model(sys.argv[1])
cells = {"photo": [(folder / "0.jpg").read_bytes(), (folder / "1.png").read_bytes(), b"a text"],
         "mask": [(folder / "mask.png").read_bytes(), None, None]}
answers = model.predict(pd.DataFrame(cells))
for number, (picture, row) in enumerate(answers.itertuples(index=False)):
    (folder / f"answer-{number}").write_bytes(picture or b"")
    (folder / f"row-{number}.json").write_text(row)
import models, restoration
print(json.dumps([models.__file__, restoration.__file__]))
"""


@dataclass(frozen=True)
class Case:
    """A registry with a version whose model holds its own face model, two photos (the first with a mask), programs."""

    paths: Paths
    photos: Path
    programs: Path
    environment: dict[str, str]

    def expected(self, number: int) -> tuple[Image, dict[str, Any]]:
        """Picture and row of `likeness restore` in this project."""
        restore = params().restore
        limits = Limits.of(restore.files)
        settings = Settings(
            load_restorer(self.paths.trained_weights), "1", "auto", restore, limits,
            load_tools(restore.min_detector_score, params().identity), finder=shipped_finder(),
            seal=open_seal(self.paths),
        )  # fmt: skip
        photo = self.photos / ("0.jpg", "1.png")[number]
        mask = None if number else self.photos / "mask.png"
        out = self.photos / f"expected{photo.suffix}"
        row = restore_file(requests(photo, mask, out)[0], settings)
        return read_picture(out, limits), json.loads(row.as_json())


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    from pipeline.registry.register import register

    folder = tmp_path_factory.mktemp("fresh")
    paths = Paths(folder / "site")
    torch.manual_seed(0)
    generator = Generator(8, 2)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.01)  # an untrained generator returns the classical fill
    save_weights(generator, paths.trained_weights, 128, StoredFaceModel.load(FACE_MODEL))
    lay_reports(paths)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
        register(paths=paths, params=params())
    (stored,) = paths.mlflow_artifacts.rglob("requirements.txt")
    programs = fresh_environment(stored, folder / "venv")
    server = MlflowServer(paths.state)
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LIKENESS_"))}
    own = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": server.url,
        "DO_NOT_TRACK": "true",
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home" / "cache"),
        "XDG_STATE_HOME": str(folder / "home" / "state"),
    }
    server.start()
    yield Case(paths, _photos(folder / "photos"), programs, outside | own)
    server.kill()


def _photos(folder: Path) -> Path:
    """A face with a mask over its mouth, and one with a fold that is to be found."""
    folder.mkdir()
    photo = np.ascontiguousarray(astronaut()[:280, 80:360])
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, (0.2, 0.55, 0.8, 1.0))
    (folder / "0.jpg").write_bytes(encoded(photo, ".jpg"))
    (folder / "mask.png").write_bytes(encoded(mask * np.uint8(255), ".png"))
    folded = photo.copy()
    cv2.line(folded, (0, 40), (279, 70), (250, 250, 245), 4, cv2.LINE_AA)
    cv2.line(folded, (60, 0), (90, 279), (250, 250, 245), 4, cv2.LINE_AA)
    (folder / "1.png").write_bytes(encoded(folded, ".png"))
    return folder


def alike(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in UNLIKE}


def test_without_the_project_it_restores_the_same_to_the_pixel(case: Case) -> None:
    elsewhere = case.photos.parent / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [case.programs / "python", "-c", CLIENT, URI, case.photos], cwd=elsewhere, env=case.environment,
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert not any(Path(file).is_relative_to(ROOT) for file in loaded)
    assert "mismatches" not in done.stderr  # MLflow compares what is installed with what the version requires
    for number, suffix in ((0, ".jpg"), (1, ".png")):
        picture, row = case.expected(number)
        answer = case.photos / f"restored-{number}{suffix}"
        (case.photos / f"answer-{number}").rename(answer)
        np.testing.assert_array_equal(read_picture(answer, Limits.of(params().restore.files)), picture)
        found = json.loads((case.photos / f"row-{number}.json").read_text())
        assert found["outcome"] == "restored"
        assert alike(found) == alike(row)
    failed = json.loads((case.photos / "row-2.json").read_text())
    assert (failed["outcome"], (case.photos / "answer-2").read_bytes()) == ("failed", b"")


@pytest.fixture
def served(case: Case) -> Iterator[str]:
    """Address of `mlflow models serve` in the fresh environment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["mlflow", "models", "serve", "-m", URI, "--env-manager", "local", "--port", str(port)]
    log = case.photos.parent / "serve.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [case.programs / command[0], *command[1:]], cwd=case.photos.parent, env=case.environment,
            stdout=stream, stderr=stream, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 300
        while not _answers(f"http://127.0.0.1:{port}/ping"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_mlflow_serves_it(case: Case, served: str) -> None:
    photo, mask = ((case.photos / name).read_bytes() for name in ("0.jpg", "mask.png"))
    records = [{"photo": _text(photo), "mask": _text(mask)}, {"photo": _text(b"a text"), "mask": ""}]
    restored, failed = _ask(served, {"dataframe_records": records})
    picture, row = case.expected(0)
    answer = case.photos / "served.jpg"
    answer.write_bytes(base64.b64decode(restored["picture"]))
    np.testing.assert_array_equal(read_picture(answer, Limits.of(params().restore.files)), picture)
    assert alike(json.loads(restored["row"])) == alike(row)
    assert (failed["picture"], json.loads(failed["row"])["outcome"]) == (None, "failed")
    (mild,) = _ask(served, {"dataframe_records": [{"photo": _text(photo)}], "params": {"strength": 0.0}})
    assert json.loads(mild["row"])["mask"]["source"] == "found"  # a photo alone is enough
    (wrong,) = _ask(served, {"dataframe_records": [{"photo": _text(photo)}], "params": {"mode": "all"}})
    assert "mode: one of auto, inpaint" in json.loads(wrong["row"])["reason"]


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _ask(address: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        found: list[dict[str, Any]] = json.load(answer)["predictions"]
    return found


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
