"""The face model in a file: small, complete, and one content wherever it lies."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import WeightsError
from models.face_model.shape_and_appearance import built_face_model, shipped_face_model
from models.face_model.stored import FACE_MODEL, StoredFaceModel


def test_the_shipped_one_knows_how_many_faces_it_was_fitted_to_but_not_which() -> None:
    shipped = StoredFaceModel.load(FACE_MODEL)
    assert shipped.tensors["faces"] > 500
    assert len(shipped.tensors["seen"]) == 0
    assert torch.equal(shipped.tensors["frame"], shipped.tensors["shape_mean"])


def test_rounding_twice_changes_nothing() -> None:
    shipped = StoredFaceModel.load(FACE_MODEL)
    again = StoredFaceModel.compress(shipped.expand())
    assert torch.equal(again.tensors["even"], shipped.tensors["even"])
    assert torch.equal(again.tensors["mean"], shipped.tensors["mean"])


def test_a_model_of_one_content_is_in_memory_once(tmp_path: Path) -> None:
    shipped = StoredFaceModel.load(FACE_MODEL)
    shipped.save(tmp_path / "copy.safetensors", {"portraits": int(shipped.tensors["faces"])})
    assert built_face_model(StoredFaceModel.load(tmp_path / "copy.safetensors")) is shipped_face_model()
    other = StoredFaceModel({**shipped.tensors, "mean": shipped.tensors["mean"] + 1})
    assert other.sha256 != shipped.sha256
    assert built_face_model(other) is not shipped_face_model()


def test_a_missing_a_foreign_and_an_incomplete_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"face model at .*no such file"):
        StoredFaceModel.load(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="face model in"):
        StoredFaceModel.load(tmp_path / "bad.safetensors")
    tensors = {name: value for name, value in load_file(FACE_MODEL).items() if not name.startswith("shape_")}
    save_file(tensors, tmp_path / "old.safetensors")
    with pytest.raises(WeightsError, match="no shape_covariance, shape_mean"):
        StoredFaceModel.load(tmp_path / "old.safetensors")
