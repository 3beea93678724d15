"""A weights file becomes the restorer that its header names."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch

from models.diffusion.restorer import DiffusionRestorer, save_denoiser
from models.diffusion.settings import Sampling
from models.errors import WeightsError
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.load import load_restorer
from models.weight_files import weights_sha256
from tests.models.diffusion.parts import damaged, small


def test_the_header_decides(tmp_path: Path) -> None:
    gan, diffusion = tmp_path / "g.safetensors", tmp_path / "d.safetensors"
    save_weights(Generator(8, 2), gan, 32)
    save_denoiser(small(), diffusion, 32, Sampling(2, 1, 0))
    kinds = {path: load_restorer(path, weights_sha256(path)) for path in (gan, diffusion)}
    assert isinstance(kinds[gan], Restorer)
    assert isinstance(kinds[diffusion], DiffusionRestorer)
    for restorer in kinds.values():  # neither is trained: both return the start
        assert restorer.image_size == 32
    assert torch.allclose(kinds[gan].restore(damaged()), kinds[diffusion].restore(damaged()), atol=1e-6)


def test_another_digest(tmp_path: Path) -> None:
    save_denoiser(small(), tmp_path / "d.safetensors", 32, Sampling(2, 1, 0))
    with pytest.raises(WeightsError, match="SHA-256 000000000000"):
        load_restorer(tmp_path / "d.safetensors", "0" * 64)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        load_restorer(tmp_path / "none.safetensors")


def test_a_cut_file(tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    save_denoiser(small(), path, 32, Sampling(2, 1, 0))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="safetensors"):
        load_restorer(path)


def test_a_flipped_bit_of_the_header_is_refused_or_changes_nothing_that_loads(tmp_path: Path) -> None:
    path, refused = tmp_path / "g.safetensors", 0
    save_weights(Generator(8, 2), path, 32, dtype=torch.int8)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    for bit in np.random.default_rng(3).choice(8 * header, 120, replace=False).tolist():
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with contextlib.suppress(WeightsError):
            refused += 1
            load_restorer(path)
            refused -= 1
    assert 60 < refused < 120


def test_a_scale_of_no_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    save_weights(Generator(8, 2), path, 32, dtype=torch.int8)
    path.write_bytes(path.read_bytes().replace(b'"scales/head.2.weight"', b'"scales/head.2.weighd"'))
    with pytest.raises(WeightsError, match="damaged file"):
        load_restorer(path)


def test_weights_that_do_not_fit_their_header(tmp_path: Path) -> None:
    from models.weight_files import read_architecture, read_state, write_weights

    path = tmp_path / "d.safetensors"
    save_denoiser(small(), path, 32, Sampling(2, 1, 0))
    header, state = read_architecture(path), read_state(path)
    header["shape"]["width"] = 16
    write_weights(state, header, path)
    with pytest.raises(WeightsError, match="fit its header"):
        load_restorer(path)


def test_registered_versions_find_what_they_import() -> None:
    from models import stored
    from models.evidence import Damaged

    assert stored.load_restorer is load_restorer
    assert Damaged.__module__ == "models.evidence.evidence"
