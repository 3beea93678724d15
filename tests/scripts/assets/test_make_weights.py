import json
from pathlib import Path

import pytest
import torch

from models.diffusion.denoiser import Denoiser
from models.diffusion.restorer import DiffusionRestorer, save_denoiser
from models.diffusion.settings import DiffusionShape, Sampling
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.weight_files import weights_sha256
from scripts.assets import make_weights
from scripts.assets.diffusion import training as diffusion
from scripts.assets.diffusion.training import SPREAD
from scripts.assets.make_weights import DIFFUSION, PLAN, ship
from scripts.assets.refiner.training import WEIGHTS


def test_what_ships_is_the_average_with_the_facts_of_its_making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    generator = Generator(8, 2)
    (tmp_path / "refiner").mkdir()
    save_weights(generator, tmp_path / "refiner" / WEIGHTS, 128)
    (tmp_path / "refiner" / "curves.csv").write_text("step,pixel\n100,0.1\n3200,0.05\n", encoding="utf-8")
    monkeypatch.setattr(make_weights, "ASSETS", tmp_path)
    ship(tmp_path)
    shipped = Restorer.load(tmp_path / "restorer.safetensors").generator.state_dict()
    for name, value in generator.state_dict().items():
        half_a_level = 0.0 if value.dim() < 2 else 0.501 * float(value.abs().max()) / 127
        assert (shipped[name] - value).abs().max() <= half_a_level, name
    card = json.loads((tmp_path / "restorer.json").read_text(encoding="utf-8"))
    assert (card["steps"], card["samples"]) == (3200, 3200 * PLAN.batch)
    assert card["sha256"] == weights_sha256(tmp_path / "restorer.safetensors")
    assert card["plan"]["weights"]["lpips"] == PLAN.weights.lpips
    assert (tmp_path / "restorer_curves.csv").read_text(encoding="utf-8").endswith("3200,0.05\n")


def test_a_denoiser_ships_with_how_to_sample_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    denoiser = Denoiser(DiffusionShape(8, 2, 16, SPREAD))
    save_denoiser(denoiser, tmp_path / "diffusion" / diffusion.WEIGHTS, 128, Sampling(2, 1, 1))
    (tmp_path / "diffusion" / "curves.csv").write_text("step,pixel\n100,0.1\n", encoding="utf-8")
    monkeypatch.setattr(make_weights, "ASSETS", tmp_path)
    ship(tmp_path)
    shipped = DiffusionRestorer.load(tmp_path / "diffusion.safetensors")
    assert shipped.sampling == DIFFUSION.sampling
    own = denoiser.state_dict()
    assert all(
        torch.allclose(own[n], value, atol=float(value.abs().max()) / 100)
        for n, value in shipped.denoiser.state_dict().items()
    )
    card = json.loads((tmp_path / "diffusion.json").read_text(encoding="utf-8"))
    assert (card["steps"], card["samples"]) == (100, 100 * DIFFUSION.batch)
    assert card["plan"]["shape"]["spread"]["latents"] == SPREAD.latents
    assert not (tmp_path / "restorer.safetensors").exists()
