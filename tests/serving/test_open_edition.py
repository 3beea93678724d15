"""The service in the open edition: with a mask it restores, without one it says that it cannot search."""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from models.assets import OPEN
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from serving.assemble import assemble
from serving.http.auth import Guard
from tests.conftest import ROOT
from tests.serving.site import Shared, damaged, file_of, form, pixels_of, portrait, running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def url(surroundings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of that edition over the weights that ship."""
    params = load_params(ROOT / "params.yaml", {"identity.edition": OPEN, "serve.reload_seconds": 3600.0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.assets.ASSETS", ROOT / "assets")
        service = assemble(Paths(tmp_path_factory.mktemp("open")), params)
        assert service.models.arms.champion.restorer.face_model.edition == OPEN
        with running(Shared.of(service, guard=Guard(None))) as address:
            yield address
        service.close()


def test_with_a_mask_a_portrait_is_restored(url: str) -> None:
    image, mask = damaged()
    with httpx.Client(base_url=url, timeout=60) as client:
        found = client.post("/v1/restorations", files=form()).json()
    restored = pixels_of(base64.b64decode(found["picture"]))
    assert np.array_equal(restored[~mask], image[~mask])
    assert (
        np.abs(restored.astype(int) - portrait())[mask].mean()
        < 0.5 * np.abs(image.astype(int) - portrait())[mask].mean()
    )
    assert found["faces"][0]["likeness_to_plain"].keys() == {"sface", "dlib-open"}


@pytest.mark.parametrize("route", ["restorations", "masks"])
def test_without_a_mask_it_says_what_is_missing(url: str, route: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post(f"/v1/{route}", files={"image": file_of(damaged()[0])})
    assert answer.status_code == 422
    assert "the edition open has no damage finder" in answer.json()["expected"]
