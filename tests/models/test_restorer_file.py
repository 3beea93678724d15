"""A model's file holds its face model, or refers to one that ships."""

from pathlib import Path

import pytest
import torch

from models.face_model.shape_and_appearance import shipped_face_model
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.load import load_restorer
from models.restorer_file import load_face_model, read_face_model
from models.weight_files import read_architecture, read_state, weights_sha256, write_weights
from tests.models.diffusion.parts import damaged


@pytest.fixture
def other() -> StoredFaceModel:
    """The shipped one with a brighter mean."""
    shipped = StoredFaceModel.load(FACE_MODEL)
    return StoredFaceModel({**shipped.tensors, "mean": shipped.tensors["mean"] + 0.5})


def test_a_model_holds_its_own_face_model(tmp_path: Path, other: StoredFaceModel) -> None:
    path = tmp_path / "own.safetensors"
    save_weights(Generator(8, 2), path, 32, other)
    assert read_face_model(path).sha256 == other.sha256
    assert read_architecture(path)["face_model"] == other.sha256
    assert set(read_state(path)) == set(Generator(8, 2).state_dict())
    restorer = load_restorer(path)
    assert restorer.face_model is load_face_model(path)
    shipped = Restorer(Generator(8, 2), 32, shipped_face_model())
    assert not torch.allclose(restorer.restore(damaged()), shipped.restore(damaged()), atol=0.05)


def test_without_one_it_refers_to_the_one_that_ships(tmp_path: Path) -> None:
    path = tmp_path / "shipped.safetensors"
    save_weights(Generator(8, 2), path, 32)
    assert load_restorer(path).face_model is shipped_face_model()
    assert read_face_model(path).sha256 == StoredFaceModel.load(FACE_MODEL).sha256


def test_or_to_an_earlier_one_and_gets_the_current_one_where_that_is_gone(
    tmp_path: Path, other: StoredFaceModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other.save(tmp_path / "face_model_1.safetensors", {"portraits": 7})
    path = tmp_path / "model.safetensors"
    save_weights(Generator(8, 2), path, 32)
    header = read_architecture(path) | {"face_model": weights_sha256(tmp_path / "face_model_1.safetensors")}
    write_weights(read_state(path), header, path)
    with caplog.at_level("WARNING"):
        assert load_restorer(path).face_model is shipped_face_model()
    assert "model.safetensors was trained with face model" in caplog.text
    monkeypatch.setattr("models.restorer_file.ASSETS", tmp_path)
    face_model = load_restorer(path).face_model
    torch.testing.assert_close(
        face_model.appearance.mean, shipped_face_model().appearance.mean + 0.5, atol=1e-2, rtol=0
    )
