"""`likeness audit` by its words and its exit status."""

import json
from pathlib import Path

import pytest

from cli.main import main
from monitoring.log.chain import Head, seal
from monitoring.log.production_log import open_log
from pipeline.project.paths import Paths
from tests.monitoring.log.logs import rewrite, stored
from tests.monitoring.traffic import row


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with open_log(Paths(tmp_path)) as log:
        log.append([row(n) for n in range(3)])
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, str]:
    """Status and output."""
    with pytest.raises(SystemExit) as left:
        main(["audit", *arguments, "--root", str(root)])
    return int(left.value.code or 0), capsys.readouterr().out.strip()


def test_a_whole_log(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, root, "verify") == (0, "whole: 3 entries, none wrong")
    left = json.loads(Paths(root).audit.read_text())
    assert (left["intact"], left["entries"]) == (True, 3)
    status, head = run(capsys, root, "head")
    assert (status, head) == (0, f"3:{stored(address(root))[-1].chain}")
    assert run(capsys, root, "verify", "--head", head)[0] == 0


def test_a_broken_log(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = stored(address(root))
    rewrite(address(root), [entries[0], entries[1]._replace(key="r-9"), entries[2]])
    assert run(capsys, root, "verify") == (1, "BROKEN: edited: entry 2 was changed, the one after it was not")
    assert not json.loads(Paths(root).audit.read_text())["intact"]
    status, text = run(capsys, root, "verify", "--json")
    assert (status, json.loads(text)["flaw"], json.loads(text)["sequence"]) == (1, "edited", 2)


def test_a_head_that_was_written_down(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, root, "verify", "--head", "3:" + "ab" * 32)
    assert (status, text[:47]) == (1, "BROKEN: replaced: entry 3 is not the one that t")
    status, _ = run(capsys, root, "verify", "--head", "3")
    assert status == 2


def test_a_head_that_was_sealed_with_another_key(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = Paths(root).log_head("log")
    head.write_text(seal(b"a guess" * 5, Head(2, stored(address(root))[1].chain)))
    assert run(capsys, root, "verify")[1].startswith("BROKEN: unsealed: the sealed head does not fit the key")
    assert run(capsys, root, "head") == (1, "")


def address(root: Path) -> str:
    return f"sqlite:///{Paths(root).production_log}"
