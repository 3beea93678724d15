"""What is read back from a folder of derived files is what this installation wrote under that name."""

import hmac
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.project.derived_files import DerivedFiles
from pipeline.project.paths import Paths

NAME, CONTENT = "graph.onnx", bytes(range(256)) * 40


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "checkout")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_seal_is_the_digest_of_name_and_content_under_the_key(folder: Path) -> None:
    key = b"k" * 32
    DerivedFiles(folder, key).write(NAME, CONTENT)
    (seal,) = folder.glob("*.seal")
    assert seal.read_text() == hmac.new(key, b"graph.onnx\0" + sha256(CONTENT).digest(), "sha256").hexdigest()
    assert key not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_what_was_written_is_read_back_also_by_the_next_process(paths: Paths, folder: Path) -> None:
    DerivedFiles.of(paths, folder).write(NAME, CONTENT)
    assert DerivedFiles.of(paths, folder).read(NAME) == CONTENT
    key = paths.keys / "derived.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"\0", bytes(len(CONTENT)), b"another file"])
def test_a_changed_file_is_none(content: bytes, paths: Paths, folder: Path) -> None:
    files = DerivedFiles.of(paths, folder)
    files.write(NAME, CONTENT)
    (folder / NAME).write_bytes(content)
    assert files.read(NAME) is None
    files.write(NAME, CONTENT)
    assert files.read(NAME) == CONTENT


@pytest.mark.parametrize("seal", [b"", b"0" * 64, b"\xff" * 10, None])
def test_a_file_without_its_seal_is_none(seal: bytes | None, paths: Paths, folder: Path) -> None:
    files = DerivedFiles.of(paths, folder)
    files.write(NAME, CONTENT)
    (place,) = folder.glob("*.seal")
    if seal is None:
        place.unlink()
    else:
        place.write_bytes(seal)
    assert files.read(NAME) is None


def test_a_file_under_anothers_name_is_none(paths: Paths, folder: Path) -> None:
    files = DerivedFiles.of(paths, folder)
    files.write(NAME, CONTENT)
    files.write("other.onnx", b"of another model")
    for path in sorted(folder.glob("other.onnx*")):
        path.replace(folder / path.name.replace("other.onnx", NAME))
    assert files.read(NAME) is None


def test_a_file_of_another_installation_is_none(tmp_path: Path, paths: Paths, folder: Path) -> None:
    theirs = DerivedFiles.of(Paths(tmp_path / "theirs"), folder)
    theirs.write(NAME, CONTENT)
    assert DerivedFiles.of(paths, folder).read(NAME) is None
    DerivedFiles.of(paths, folder).write(NAME, CONTENT)
    assert theirs.read(NAME) == CONTENT  # the same content has both seals


def test_no_folder_and_an_unusable_one_are_no_error(paths: Paths, tmp_path: Path) -> None:
    assert DerivedFiles.of(paths, tmp_path / "none").read(NAME) is None
    (tmp_path / "file").write_text("")
    files = DerivedFiles.of(paths, tmp_path / "file")
    files.write(NAME, CONTENT)
    assert files.read(NAME) is None
    (tmp_path / "cache" / NAME).mkdir(parents=True)  # a folder where the file should be
    files = DerivedFiles.of(paths, tmp_path / "cache")
    files.write(NAME, CONTENT)
    assert files.read(NAME) is None
