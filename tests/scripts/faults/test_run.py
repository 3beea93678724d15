"""Every kind of fault has its file, and one that breaks something ends in a miss and exit status 1."""

import json
from pathlib import Path

import pytest

from scripts.faults import weights_faults
from scripts.faults.drill import Drill
from scripts.faults.run import FAULTS, main
from tests.conftest import ROOT


def test_every_fault_has_its_file() -> None:
    found = {path.stem.removesuffix("_faults") for path in (ROOT / "scripts/faults").glob("*_faults.py")}
    assert found == set(FAULTS)


def test_a_loader_that_breaks_is_a_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(path: Path) -> object:
        raise ZeroDivisionError(path.name)

    monkeypatch.setattr(weights_faults, "LOADERS", {"finder.safetensors": load})
    out = tmp_path / "faults.json"
    assert main(["--only", "weights", "--trials", "1", "--seed", "3", "--out", str(out)]) == 1
    assert "| 50 / 50 | **no** |" in capsys.readouterr().out
    (row,) = json.loads(out.read_text())
    assert len(row["misses"]) == 50
    assert row["misses"][0].endswith("ZeroDivisionError: finder.safetensors")


def test_random_numbers_of_a_fault_do_not_depend_on_others(tmp_path: Path) -> None:
    drill = Drill(tmp_path, seed=4, trials=1)
    assert drill.rng("a").integers(1000, size=3).tolist() == drill.rng("a").integers(1000, size=3).tolist()
    assert drill.rng("a").integers(1000, size=3).tolist() != drill.rng("b").integers(1000, size=3).tolist()
