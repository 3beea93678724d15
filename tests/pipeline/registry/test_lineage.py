"""Digests and revisions."""

import hashlib
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from models.errors import DataError
from pipeline.project.paths import Paths
from pipeline.registry.lineage import collect_provenance, data_digest

ROWS = [("aa", "p1", "train"), ("bb", "p2", "test")]


def write(paths: Paths, rows: list[tuple[str, str, str]]) -> Path:
    paths.portraits.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["sha256", "identity", "split"]).to_parquet(paths.portrait_rows)
    return paths.portrait_rows


def test_the_digest_is_that_of_the_sorted_lines(tmp_path: Path) -> None:
    expected = hashlib.sha256(b"aa\tp1\ttrain\nbb\tp2\ttest\n").hexdigest()
    assert data_digest(write(Paths(tmp_path), ROWS)) == expected
    assert data_digest(write(Paths(tmp_path), ROWS[::-1])) == expected
    assert data_digest(write(Paths(tmp_path), [ROWS[0], ("bb", "p2", "train")])) != expected


def test_no_portraits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run the stage ingest first"):
        collect_provenance(Paths(tmp_path))


def test_without_git_the_revision_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write(Paths(tmp_path), ROWS)
    found = collect_provenance(Paths(tmp_path))
    assert (found.git_revision, found.git_dirty, found.dvc_lock_sha256) == ("unknown", False, "unknown")


def test_revision_and_uncommitted_changes(tmp_path: Path) -> None:
    write(Paths(tmp_path), ROWS)
    lock = tmp_path / "dvc.lock"
    lock.write_text("one")
    for command in ("init -q", "add dvc.lock", "-c user.name=a -c user.email=a@b commit -q -m one"):
        subprocess.run(["git", "-C", str(tmp_path), *command.split()], check=True)
    found = collect_provenance(Paths(tmp_path))
    head = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert found.git_revision == head.stdout.strip()
    assert found.dvc_lock_sha256 == hashlib.sha256(b"one").hexdigest()
    assert found.tags()["git_dirty"] == "false"
    lock.write_text("two")
    assert collect_provenance(Paths(tmp_path)).tags()["git_dirty"] == "true"
