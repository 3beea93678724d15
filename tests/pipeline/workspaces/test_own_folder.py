"""A command's own folder: it is made anew, and nothing else is ever deleted."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from pipeline.workspaces.own_folder import LIST, begin_folder, list_made


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the list."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != LIST]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def put(folder: Path, name: str, text: str = "mine") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def make(folder: Path, *, whole: bool = True) -> None:
    """A run of some command: code, data, a database."""
    begin_folder(folder)
    for name in ("params.yaml", "pipeline/train.py", "data/rows.parquet", "state/log.sqlite", ".dvc/tmp/lock"):
        put(folder, name, name)
    list_made(folder, whole=whole)


def test_a_folder_that_is_new_or_empty_is_taken(tmp_path: Path) -> None:
    for folder in (tmp_path / "new" / "deep", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        begin_folder(folder)
        assert contents(folder) == {}


def test_what_the_command_made_is_made_anew(tmp_path: Path) -> None:
    make(tmp_path)
    begin_folder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [LIST]


FOREIGN = [
    "notes.txt",
    "pipeline/my_idea.py",
    "data/portraits/mother.jpg",
    "state/kept/photo.png",
    "state/up.json",
    ".env",
    "deep/er/file",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_somebody_added_stops_it_and_stays(tmp_path: Path, name: str) -> None:
    make(tmp_path)
    put(tmp_path, name)
    before = contents(tmp_path)
    with pytest.raises(DataError, match=name) as caught:
        begin_folder(tmp_path)
    assert "choose another folder" in caught.value.remedy
    assert contents(tmp_path) == before


def test_what_somebody_edited_stops_it_and_stays(tmp_path: Path) -> None:
    make(tmp_path)
    put(tmp_path, "params.yaml", "tuned for a week")
    with pytest.raises(DataError, match=r"params\.yaml"):
        begin_folder(tmp_path)
    assert contents(tmp_path)["params.yaml"] == b"tuned for a week"


@pytest.mark.parametrize("marker", [None, "", "{}", '{"whole": true}', "no json"])
def test_a_folder_without_a_list_is_somebody_elses(tmp_path: Path, marker: str | None) -> None:
    put(tmp_path, "params.yaml")
    if marker is not None:
        put(tmp_path, LIST, marker)
    with pytest.raises(DataError, match=r"params\.yaml"):
        begin_folder(tmp_path)
    assert contents(tmp_path) == {"params.yaml": b"mine"}


VIEWED = [
    "state/log.sqlite-wal",
    "state/log.sqlite.lock",
    "state/prefect/prefect.db",
    "state/evidently/project.json",
    "pipeline/__pycache__/train.cpython-311.pyc",
]


@pytest.mark.parametrize("name", VIEWED)
def test_what_looking_at_results_leaves_does_not_stop_it(tmp_path: Path, name: str) -> None:
    make(tmp_path)
    put(tmp_path, name)
    put(tmp_path, "state/log.sqlite", "a viewer has migrated it")
    begin_folder(tmp_path)
    assert contents(tmp_path) == {}


def test_after_a_kill_the_tools_folders_are_its_own_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path, whole=False)
    put(tmp_path, "data/training/weights.safetensors")
    begin_folder(tmp_path)
    assert contents(tmp_path) == {}
    put(tmp_path, "notes.txt")
    with pytest.raises(DataError, match=r"notes\.txt"):
        begin_folder(tmp_path)


def test_links_are_removed_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", "photo.jpg")
    folder = tmp_path / "demo"
    begin_folder(folder)
    (folder / "link").symlink_to(outside.parent, target_is_directory=True)
    (folder / "file").symlink_to(outside)
    list_made(folder, whole=True)
    begin_folder(folder)
    assert outside.read_text(encoding="utf-8") == "mine"
    assert [file.name for file in folder.iterdir()] == [LIST]


NAMES = st.lists(st.sampled_from(["a", "b", "data", "state", "__pycache__", "x.py"]), min_size=1, max_size=3)


@given(own=st.lists(NAMES, max_size=4), others=st.lists(NAMES, max_size=4))
def test_no_file_of_anybody_else_is_ever_lost(
    own: list[list[str]], others: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    begin_folder(folder)
    for parts in own:
        _put_if_possible(folder, parts, "own")
    list_made(folder, whole=True)
    for parts in others:
        _put_if_possible(folder, parts, "other")
    before = {name: hashlib.sha256(content).digest() for name, content in contents(folder).items()}
    theirs = {name for name, content in contents(folder).items() if content == b"other" and "__pycache__" not in name}
    changed_by_tools = {name for name in theirs if name.startswith(("data/", "state/")) and _made(folder, name)}
    try:
        begin_folder(folder)
    except DataError:
        after = {name: hashlib.sha256(content).digest() for name, content in contents(folder).items()}
        assert after == before
    else:
        assert theirs <= changed_by_tools


def _made(folder: Path, name: str) -> bool:
    return f'"{name}"' in (folder / LIST).read_text(encoding="utf-8")


def _put_if_possible(folder: Path, parts: list[str], text: str) -> None:
    """A name may be a folder's already."""
    file = folder.joinpath(*parts)
    if not file.is_dir() and not any(parent.is_file() for parent in file.parents):
        put(folder, "/".join(parts), text)
