"""The command line: quick, errors in one line, no traceback unless asked for."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.main import COMMANDS, main
from tests.conftest import ROOT
from tests.disks import fill, read_only, small_disk  # noqa: F401 - fixture


def likeness(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """The installed command, in a process of its own."""
    command = [str(Path(sys.executable).parent / "likeness"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_help_is_quick_and_lists_every_command() -> None:
    started = time.process_time(), time.monotonic()
    done = likeness("--help")
    assert time.monotonic() - started[1] < 5  # a busy machine; docs/benchmarks.md has that of a quiet one
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith(f"Usage: likeness {name}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "no-such-folder"], "expected a folder at no-such-folder; got no such folder; name a folder"),
        (["cycle", "--set", "train.epoch=1", "--root", "."], "train.epoch"),
        (["promote", "1", "--root", "no-checkout"], "expected a parameter file at"),
    ],
)
def test_an_error_is_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    if "." in arguments:
        arguments = [str(tmp_path) if word == "." else word for word in arguments]
        (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    done = likeness(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("likeness: expected")


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in likeness("--debug", "check", "no-such-folder").stderr


def test_check_prints_one_json_line_per_file(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (80, 64), "red").save(tmp_path / "a.png")
    (tmp_path / "b\nc.jpg").write_bytes(b"")
    done = likeness("check", str(tmp_path), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["verdict"], line["code"]) for line in lines] == [("accept", ""), ("reject", "empty_file")]
    assert lines[1]["file"] == "b\nc.jpg"


def test_a_full_disk_is_one_line(small_disk: Path) -> None:  # noqa: F811 - fixture
    fill(small_disk)
    done = likeness("token", "new", "--role", "restore", "--name", "x" * 5000, "--root", str(small_disk))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("likeness: expected room on the disk for what this command writes; got no space left")


def test_a_workspace_on_a_read_only_mount_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "site"
    place.mkdir()
    shutil.copy(ROOT / "params.yaml", place)
    with read_only(place) as root:
        for command in (("params", "set", "train.epochs", "4"), ("promote", "1"), ("audit", "verify"), ("rollback",)):
            with pytest.raises(SystemExit) as left:
                main([*command, "--root", str(root)])
            assert left.value.code == 1
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith(f"likeness: expected to be allowed to use {root}"), command
            assert "got read-only file system; mount its disk for writing" in line
        (line,) = likeness("up", "--root", str(root)).stderr.splitlines()
        assert "got read-only file system" in line


def test_what_is_about_people_is_its_owners_only(tmp_path: Path) -> None:
    """In a process whose umask admits others."""
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "likeness"), "token", "new", "--role", "review", "--name", "a"),
            "--root",
            str(tmp_path),
        ],
        capture_output=True,
        umask=0o022,
        check=True,
    )
    assert done.stdout.startswith(b"lk_")
    made = [tmp_path / "state", *(tmp_path / "state").rglob("*")]
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []
