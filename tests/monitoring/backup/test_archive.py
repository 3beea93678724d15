"""A backup is restored whole or not at all, and nothing of it leads out of its folder."""

import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from models.errors import DataError
from monitoring.backup.archive import LIST, Writer
from monitoring.backup.restore import restore_backup

MADE = datetime(2026, 11, 30, tzinfo=UTC)


def written(file: Path, source: Path) -> Path:
    """A backup of two files and a link."""
    source.mkdir()
    (source / "a").write_bytes(b"a" * 5000)
    (source / "key").write_bytes(b"k")
    (source / "key").chmod(0o600)
    with file.open("wb") as stream:
        writer = Writer(stream)
        writer.add_file("params.yaml", source / "a")
        writer.add_file("state/keys/key", source / "key")
        writer.add_link("state/production/data", "../../data")
        writer.close(MADE)
    return file


def forged(file: Path, members: list[tarfile.TarInfo], links: dict[str, str] | None = None) -> Path:
    """A backup whose list fits what it holds, of whoever's make."""
    files = {member.name: sha256(b"x" * member.size).hexdigest() for member in members if member.isreg()}
    listed = json.dumps({"format": 1, "made": MADE.isoformat(), "files": files, "links": links or {}}).encode()
    with tarfile.open(file, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
        last = tarfile.TarInfo(LIST)
        last.size = len(listed)
        tar.addfile(last, io.BytesIO(listed))
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, 3 if kind == tarfile.REGTYPE else 0
    return made


def test_files_modes_and_links_come_back(tmp_path: Path) -> None:
    assert restore_backup(written(tmp_path / "b", tmp_path / "source"), tmp_path / "new") == MADE
    new = tmp_path / "new"
    assert (new / "params.yaml").read_bytes() == b"a" * 5000
    assert (new / "state/keys/key").stat().st_mode & 0o777 == 0o600
    assert (new / "state").stat().st_mode & 0o077 == 0
    assert (new / "state/production/data").readlink() == Path("../../data")
    assert not (new / ".restoring").exists()


@pytest.mark.parametrize(
    ("members", "links"),
    [
        ([member("../evil")], {}),
        ([member("/tmp/evil")], {}),
        ([member("state/../../evil")], {}),
        ([member("link", tarfile.SYMTYPE, ".."), member("link/evil")], {}),
        ([member("hard", tarfile.LNKTYPE, "../outside")], {}),
        ([member("pipe", tarfile.FIFOTYPE)], {}),
        ([], {"link": "../outside"}),
        ([], {"link": "/outside"}),
        ([], {"../link": "a"}),
        ([], {"a": "b", "a/b": "c/../../../outside"}),
        ([member("a")], {"a": "b"}),
    ],
)
def test_nothing_leads_out(tmp_path: Path, members: list[tarfile.TarInfo], links: dict[str, str]) -> None:
    (tmp_path / "outside").write_text("as it was")
    file = forged(tmp_path / "b", members, links)
    with pytest.raises(DataError, match="a whole backup"):
        restore_backup(file, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "new", "outside"]
    assert list((tmp_path / "new").iterdir()) == []
    assert (tmp_path / "outside").read_text() == "as it was"


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    return content[:200] + bytes([content[200] ^ 255]) + content[201:]


def no_archive(content: bytes) -> bytes:
    return b"a text"


@pytest.mark.parametrize("damage", [cut, flipped, no_archive])
def test_a_damaged_backup_leaves_nothing(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = written(tmp_path / "b", tmp_path / "source")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match=r"a whole backup of Likeness in .*; take another backup"):
        restore_backup(file, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_file_that_is_not_what_was_backed_up_is_named(tmp_path: Path) -> None:
    file = written(tmp_path / "b", tmp_path / "source")
    with tarfile.open(file) as tar:
        parts = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        contents = {name: part.read() for name, part in parts.items() if part is not None}
    contents["state/keys/key"] = b"another"
    with tarfile.open(file, "w:gz") as tar:
        for name, content in contents.items():
            one = tarfile.TarInfo(name)
            one.size = len(content)
            tar.addfile(one, io.BytesIO(content))
    with pytest.raises(DataError, match="'state/keys/key' is not what was backed up"):
        restore_backup(file, tmp_path / "new")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    file = written(tmp_path / "b", tmp_path / "source")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work").write_text("of hours")
    for taken in (tmp_path / "mine", tmp_path / "mine" / "work"):
        with pytest.raises(DataError, match="choose another folder"):
            restore_backup(file, taken)
    assert (tmp_path / "mine" / "work").read_text() == "of hours"
    (tmp_path / "empty").mkdir()
    restore_backup(file, tmp_path / "empty")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        restore_backup(tmp_path / "none", tmp_path / "new")
    assert list(tmp_path.glob("new/*")) == []
