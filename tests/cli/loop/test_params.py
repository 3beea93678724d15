"""`likeness params`: what counts, where it stands, and own values set and unset."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from cli.main import main
from pipeline.config.load import load_params
from tests.conftest import ROOT


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def params(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a call."""
    with pytest.raises(SystemExit) as left:
        main(["params", *arguments])
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


def test_own_values_are_shown_beside_those_of_params_yaml(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert params(capsys, "--own") == (0, "", "no own values; all are those of params.yaml\n")
    assert params(capsys, "set", "train.epochs", "9") == (0, "train.epochs: 9\n", f"in {root}/local/params.yaml\n")
    assert params(capsys, "set", "simulate.seed=-0", "masks.training.kind_weights={fold: 2}")[0] == 0
    _, shown, _ = params(capsys)
    assert "train.epochs: 9  " in shown
    assert "# local/params.yaml; params.yaml: 2\n" in shown
    assert 'data.source: "sampler"\n' in shown
    _, section, _ = params(capsys, "gate")
    assert section.startswith("gate.criteria: [")
    assert section.count("\n") == 1
    _, own, _ = params(capsys, "--own", "--json")
    assert json.loads(own) == {
        "masks.training.kind_weights.fold": {"value": 2, "from": "local/params.yaml"},
        "simulate.seed": {"value": 0, "from": "local/params.yaml", "params.yaml": 77},
        "train.epochs": {"value": 9, "from": "local/params.yaml", "params.yaml": 2},
    }
    assert params(capsys, "unset", "train.epochs", "masks", "simulate.seed")[0] == 0
    assert not (root / "local" / "params.yaml").exists()
    assert load_params(root / "params.yaml") == load_params(ROOT / "params.yaml")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train.nothing"], "expected a key of params.yaml; got train.nothing"),
        (["set", "train.epochs", "-1"], "train.epochs: Input should be"),
        (["set", "train.epochs=[1"], "valid YAML"),
        (["unset", "train.epochs"], "got no train.epochs"),
        (["set", "serve.proxy.hosts", "a.example"], "serve.proxy.hosts: a list, as [a, b]; got 'a.example'"),
        (["set", "train", "2"], "train: a section with keys of its own; got 2"),
    ],
)
def test_a_mistake_is_one_line(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    status, out, err = params(capsys, *arguments)
    assert (status, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1
    assert not (root / "local" / "params.yaml").exists()


@pytest.mark.parametrize(
    "arguments", [["set", "train.epochs"], ["set", "", "3"], ["set", "=3"], ["set", "a", "b", "c"]]
)
def test_what_is_no_setting_is_shown(root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, _, err = params(capsys, *arguments)
    assert status == 2
    assert "expected KEY=VALUE" in err
    assert "--set" not in err
    assert not (root / "local" / "params.yaml").exists()


def test_the_remedy_can_be_pasted_where_the_path_has_a_space(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = root / "Bilder von Öl"
    (place / "local").mkdir(parents=True)
    shutil.copy(root / "params.yaml", place)
    (place / "local" / "params.yaml").write_text("train: {nothing: 1}\n", encoding="utf-8")
    monkeypatch.chdir(place)
    _, _, err = params(capsys)
    remedy = shlex.split(err.split("`")[1])
    assert remedy == ["likeness", "params", "unset", "train.nothing", "--root", str(place)]
    assert params(capsys, *remedy[2:])[0] == 0
