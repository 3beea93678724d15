"""Weights on disk: round trip, and every way in which a file can be wrong."""

from pathlib import Path

import pytest
import torch

from models.errors import WeightsError
from models.evidence.evidence import gather
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.weight_files import weights_sha256
from tests.models.gan.test_generator import batch


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small generator with random weights."""
    torch.manual_seed(0)
    generator = Generator(8, 3)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    path = tmp_path / "w.safetensors"
    save_weights(generator, path, image_size=32)
    return path


def test_round_trip_restores_the_same(saved: Path) -> None:
    restorer = Restorer.load(saved, weights_sha256(saved))
    damaged = batch()
    restored = restorer.restore(damaged)
    known = (damaged.chroma_mask < 0.5).expand_as(restored)
    assert restorer.image_size == 32
    assert torch.equal(restored[known], damaged.image[known])
    assert not torch.allclose(restored, gather(damaged, shipped_face_model()).start)


def test_restoring_is_repeatable(saved: Path) -> None:
    assert torch.equal(Restorer.load(saved).restore(batch()), Restorer.load(saved).restore(batch()))


def test_evidence_at_hand_gives_the_same(saved: Path) -> None:
    restorer = Restorer.load(saved)
    assert torch.equal(restorer.restore_from(gather(batch(), shipped_face_model())), restorer.restore(batch()))


def test_half_precision_changes_little(saved: Path, tmp_path: Path) -> None:
    full = Restorer.load(saved)
    save_weights(full.generator, tmp_path / "half.safetensors", 32, dtype=torch.float16)
    half = Restorer.load(tmp_path / "half.safetensors")
    assert (full.restore(batch()) - half.restore(batch())).abs().max() < 1 / 127.5


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        Restorer.load(tmp_path / "none.safetensors")


def test_another_digest(saved: Path) -> None:
    with pytest.raises(WeightsError, match="SHA-256 000000000000"):
        Restorer.load(saved, "0" * 64)


def test_a_cut_file(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="safetensors"):
        Restorer.load(saved)


def test_a_file_without_architecture(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="architecture"):
        Restorer.load(tmp_path / "x.safetensors")
