from pathlib import Path

import pandas as pd
import pytest

from models.errors import DataError
from pipeline.project.paths import Paths
from scripts.assets.refiner.people import _sort_sources, gather_people, source_of
from scripts.assets.refiner.shards import drawn_rows


def test_each_source_is_split_by_itself_and_its_files_tell_where_they_are_from(tmp_path: Path) -> None:
    for folder, count in (("congress", 10), ("omi", 30)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number:02d}.jpg").write_bytes(b"")
    _sort_sources([tmp_path / "congress", tmp_path / "omi"], None, tmp_path / "sorted")
    files = sorted(path.relative_to(tmp_path / "sorted").as_posix() for path in (tmp_path / "sorted").rglob("*.jpg"))
    assert [file for file in files if "congress" in file and "train" not in file] == [
        *(f"test/congress-{number:02d}.jpg" for number in (8, 9)),
        "validation/congress-07.jpg",
    ]
    assert sum(file.startswith("test/omi-") for file in files) == 6
    assert len(files) == 40


def test_a_source_is_named_by_its_files() -> None:
    assert source_of("train/ffhq256-00001.jpg") == "ffhq256"
    assert source_of("train/0123_age_2.jpg") == "views"


def test_a_folder_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one of the folders"):
        gather_people(tmp_path, None, tmp_path / "workspace")
    assert not Paths(tmp_path / "workspace").portrait_rows.exists()


def test_sharp_real_people_are_drawn_more_often() -> None:
    rows = pd.DataFrame({"folder": ["omi", "ffhq256", "congress"], "portrait_id": ["a", "b", "c"]})
    assert drawn_rows(rows)["portrait_id"].tolist() == ["a", "b", "b", "b", "c", "c"]
