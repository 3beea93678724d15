"""`likeness demo` before it does anything: what it refuses, and that it leaves everything alone then."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.loop.demo import demo_command
from models.errors import ConfigError, DataError
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["thesis.tex", "data/portraits/mother.jpg", "params.yaml"])
def test_a_folder_with_somebody_elses_files_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(demo_command, ["--workspace", str(tmp_path), "--root", str(ROOT)])
    assert isinstance(result.exception, DataError)
    assert name in str(result.exception)
    assert [found.read_text(encoding="utf-8") for found in tmp_path.rglob("*") if found.is_file()] == ["mine"]


def test_the_checkout_itself_is_refused() -> None:
    before = (ROOT / "params.yaml").read_bytes()
    result = CliRunner().invoke(demo_command, ["--workspace", str(ROOT), "--root", str(ROOT)])
    assert isinstance(result.exception, DataError)
    assert (ROOT / "params.yaml").read_bytes() == before


def test_a_wrong_setting_is_said_before_anything_is_made(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    result = CliRunner().invoke(
        demo_command, ["--workspace", str(place), "--set", "train.epoch=1", "--root", str(ROOT)]
    )
    assert isinstance(result.exception, ConfigError)
    assert not place.exists()
