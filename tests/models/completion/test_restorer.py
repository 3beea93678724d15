"""A face model alone restores by the start of its evidence, from a file that holds nothing else."""

from pathlib import Path

import pytest
import torch

from models.assets import EDITIONS, OPEN, RESEARCH
from models.completion.restorer import CompletionRestorer, save_completion
from models.errors import WeightsError
from models.evidence.evidence import compose, gather
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.load import load_restorer, read_kind
from models.weight_files import read_architecture, read_state, stored_edition
from tests.models.diffusion.parts import damaged


@pytest.fixture
def stored() -> StoredFaceModel:
    return StoredFaceModel.load(FACE_MODEL)


def test_it_restores_as_an_untrained_network_on_the_same_face_model_does(
    tmp_path: Path, stored: StoredFaceModel
) -> None:
    save_completion(stored, tmp_path / "c.safetensors")
    alone = load_restorer(tmp_path / "c.safetensors")
    assert isinstance(alone, CompletionRestorer)
    assert alone.image_size == 128
    batch = damaged()
    untrained = Restorer(Generator(8, 2), 32, alone.face_model)
    torch.testing.assert_close(alone.restore(batch), untrained.restore(batch), atol=1e-6, rtol=0)
    assert torch.equal(alone.restore(batch), compose(batch, gather(batch, alone.face_model).start))
    known = (batch.chroma_mask < 0.5).expand_as(batch.image)
    assert torch.equal(alone.restore(batch)[known], batch.image[known])


def test_its_file_holds_a_face_model_and_names_its_edition(tmp_path: Path, stored: StoredFaceModel) -> None:
    for edition in EDITIONS:
        path = tmp_path / f"{edition}.safetensors"
        tensors = {**stored.tensors, "edition": torch.tensor(EDITIONS.index(edition))}
        save_completion(StoredFaceModel(tensors), path)
        assert stored_edition(read_architecture(path)) == edition
        assert read_state(path) == {}
        assert load_restorer(path).face_model.edition == edition
        assert read_kind(path).graph is None
    save_weights(Generator(8, 2), tmp_path / "refers.safetensors", 32)
    assert stored_edition(read_architecture(tmp_path / "refers.safetensors")) == RESEARCH


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_weights(Generator(8, 2), tmp_path / "g.safetensors", 32)
    with pytest.raises(WeightsError, match="completion weights"):
        CompletionRestorer.load(tmp_path / "g.safetensors")


def test_without_photos_of_one_person_shapes_stand_in_for_their_shifts(stored: StoredFaceModel) -> None:
    from models.face_model.shape_and_appearance import ShapedFaceModel

    tensors = StoredFaceModel({**stored.tensors, "edition": torch.tensor(EDITIONS.index(OPEN))}).expand()
    model = ShapedFaceModel.of(tensors)
    assert (model.shift.covariance == model.shape.covariance).all()
    assert model.shift.noise != model.shape.noise
    assert (ShapedFaceModel.of(stored.expand()).shift.covariance != model.shape.covariance).any()
