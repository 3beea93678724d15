import json
from pathlib import Path

import pytest
import torch

from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.weight_files import weights_sha256
from scripts.assets import make_weights
from scripts.assets.make_weights import PLAN, ship
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
