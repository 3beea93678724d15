import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.damage_finder.confidence import GROUPS as CONFIDENCE_GROUPS
from models.damage_finder.confidence import TERMS, Confidence
from models.damage_finder.finder import Finder, PixelFinder
from models.damage_finder.network import FinderNetwork
from models.errors import ConfigError
from models.weight_files import weights_sha256
from scripts.assets.finder.sources import Sources
from scripts.assets.finder.training import Plan, averaged, load_checkpoint, train
from scripts.assets.make_finder import LATER, Plans, networks, ship
from tests.restoration.site import astronaut

TINY = Plan(cycles=(4,), width=4, part=32, parts=2, view=64, views=1)
PLANS = Plans(TINY, replace(TINY, whole=True))
CONFIDENCE = Confidence([0.0] * (TERMS * len(CONFIDENCE_GROUPS)))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    train(Sources([np.ascontiguousarray(astronaut()[:256, 100:356])]), TINY, folder / "parts", workers=0)
    return folder


def finder(seed: int) -> Finder:
    torch.manual_seed(seed)
    return Finder(PixelFinder(FinderNetwork(4), 1.0, 0.0), PixelFinder(FinderNetwork(4), 1.0, 0.0), CONFIDENCE)


def test_what_learnt_on_is_averaged_and_the_rest_taken_over(work: Path) -> None:
    earlier = finder(0)
    parts, whole = networks(PLANS, work, earlier, 0.5)
    expected = averaged(earlier.parts.network, load_checkpoint(work / "parts", 4), LATER).state_dict()
    assert all(torch.equal(parts.state_dict()[name], value) for name, value in expected.items())
    assert whole is earlier.whole.network


def test_what_was_trained_anew_ships_as_it_is(work: Path, tmp_path: Path) -> None:
    for name in ("parts", "whole"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkpoint.pt").write_bytes((work / "parts" / "checkpoint.pt").read_bytes())
    trained = load_checkpoint(work / "parts", 4).state_dict()
    for network in networks(PLANS, tmp_path, None, 0.5):
        assert all(torch.equal(network.state_dict()[name], value) for name, value in trained.items())


def test_a_plan_of_another_training_is_refused(work: Path) -> None:
    shorter = Plans(replace(PLANS.parts, cycles=(2,)), PLANS.whole)
    with pytest.raises(ConfigError, match=r"at most 2 steps.*got 4 in .*--cycles"):
        networks(shorter, work, finder(0), 0.5)


def test_the_card_and_the_curves_continue_those_of_the_finder_begun_with(work: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    finder(0).save(before / "finder.safetensors")
    leg = {"plan": {"seed": 11}, "steps": 8, "samples": 13}
    card = {name: {"legs": [leg]} for name in ("parts", "whole")}
    (before / "finder.json").write_text(json.dumps(card), encoding="utf-8")
    for name in ("parts", "whole"):
        curves = "step,damage_loss,kind_loss,seconds_a_step\n8,0.9,1.5,0.10\n"
        (before / f"finder_{name}_curves.csv").write_text(curves, encoding="utf-8")
    ship(finder(1), PLANS, work, before / "finder.safetensors", after)
    written = json.loads((after / "finder.json").read_text(encoding="utf-8"))
    assert written["sha256"] == weights_sha256(after / "finder.safetensors")
    assert [one["steps"] for one in written["parts"]["legs"]] == [8, 4]
    assert written["parts"]["legs"][1]["samples"] == 3 * 2 + 1  # every fourth batch is one wide view
    assert written["whole"]["legs"] == [leg]
    for name, steps in (("parts", ["8", "4"]), ("whole", ["8"])):
        with (after / f"finder_{name}_curves.csv").open(encoding="utf-8") as stream:
            assert [row["step"] for row in csv.DictReader(stream)] == steps
    Finder.load(after / "finder.safetensors", written["sha256"])
