"""Diffusion weights serve as well as a generator's: on torch, in batches, the same picture each time, within limits."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pytest

from models import assets
from models.diffusion.restorer import DiffusionRestorer, save_denoiser
from models.diffusion.settings import Sampling
from models.runtime.budget import UNLIMITED
from models.weight_files import weights_sha256
from pipeline.project.paths import Paths
from serving.assemble import assemble
from serving.http.auth import Guard
from serving.http.request_form import Upload
from serving.inference.request import RestoreRequest, RestoreResult, restore
from serving.service import Service
from tests.conftest import ROOT
from tests.models.diffusion.parts import small
from tests.serving.arms import until
from tests.serving.site import PARAMS, Shared, damaged, form, restored_directly, running

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]


@pytest.fixture(scope="module")
def diffusing(surroundings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose champion is a small random denoiser; requests that are at work together share its calls."""
    folder = shutil.copytree(assets.ASSETS, tmp_path_factory.mktemp("diffusion") / "assets")
    weights = folder / "restorer.safetensors"
    save_denoiser(small(random=True), weights, 128, Sampling(levels=4, steps=2, samples=2))
    (folder / "restorer.json").write_text(json.dumps({"sha256": weights_sha256(weights)}))
    serve = PARAMS.serve.model_copy(update={"batch_wait_ms": 20_000.0, "reload_seconds": 3600})
    root = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "params.yaml", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "ASSETS", folder)
        service = assemble(Paths(root), PARAMS.model_copy(update={"serve": serve}))
        yield service
        service.close()


def asked(service: Service, number: int) -> Future[RestoreResult]:
    files = form()
    upload = Upload(files["image"], files["mask"], (), "auto", 1.0, False, "", "", "png", "")
    ask = RestoreRequest(f"{number:032x}", upload, service.models.arms, "application/json", 0)
    return service.pool.submit(partial(restore, service.context, ask, budget=UNLIMITED))


def test_photos_at_work_together_share_a_call_and_come_out_as_alone(diffusing: Service) -> None:
    before = batches(diffusing)
    alone = asked(diffusing, 1).result(60)
    together = [future.result(60) for future in [asked(diffusing, 2), asked(diffusing, 3)]]
    calls, faces = (now - then for now, then in zip(batches(diffusing), before, strict=True))
    assert (calls, faces) == (2, 3)
    image, mask = damaged()
    restorer = DiffusionRestorer.load(assets.ASSETS / "restorer.safetensors")
    expected = restored_directly(restorer).image
    assert expected is not None
    assert np.abs(expected.astype(int) - image)[mask].mean() > 5
    for done in (alone, *together):
        assert done.restoration.image is not None
        assert np.abs(done.restoration.image.astype(int) - expected).max() <= 1
        assert np.array_equal(done.restoration.image[~mask], image[~mask])
    again = asked(diffusing, 4).result(60)
    assert again.restoration.image is not None
    assert alone.restoration.image is not None
    assert np.array_equal(again.restoration.image, alone.restoration.image)


def batches(service: Service) -> tuple[float, float]:
    """Calls of the network, and faces in them, so far."""
    found = [service.metrics.registry.get_sample_value(f"likeness_batch_faces_{name}") for name in ("count", "sum")]
    return found[0] or 0.0, found[1] or 0.0


def test_its_row_is_as_any_other(diffusing: Service) -> None:
    done = asked(diffusing, 5).result(60)
    row = diffusing.context.log.row(f"{5:032x}")
    assert row == done.row
    assert (row.mode, row.model_version, row.face_count) == ("inpaint", "shipped", 1)
    assert row.similarity_plain_training is not None
    assert row.similarity_plain_independent is not None
    assert None not in (row.identity_risk, row.uncertainty, row.yaw)
    assert 0 < row.verification_cpu_seconds < row.cpu_seconds
    assert diffusing.context.log.verify().whole


def test_an_answer_that_takes_too_long_is_given_up_and_its_worker_is_free_again(diffusing: Service) -> None:
    short = PARAMS.serve.model_copy(update={"answer_seconds": 0.05})
    hasty = Shared.of(diffusing, params=PARAMS.model_copy(update={"serve": short}), guard=Guard(None))
    with running(hasty) as url, httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post("/v1/restorations", files=form())
        assert (answer.status_code, answer.json()["code"]) == (503, "too_late")
        assert int(answer.headers["retry-after"]) > 0
        until(lambda: diffusing.pool.running() == 0)
    assert diffusing.context.log.row(answer.json()["request_id"]) is None  # it was stopped, and came to nothing
    assert asked(diffusing, 6).result(60).row.mode == "inpaint"
