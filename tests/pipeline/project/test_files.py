"""Files appear whole, also where several write the same one at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.project.files import write_text


def test_of_many_writers_one_counts_and_none_fails(tmp_path: Path) -> None:
    texts = [str(number) * 100_000 for number in range(8)]
    path = tmp_path / "folder" / "served.json"

    def write(text: str) -> str:
        write_text(path, text)
        return path.read_text(encoding="utf-8")

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(write, texts * 10))
    assert set(seen) <= set(texts)
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert (path.read_text(encoding="utf-8"), list(tmp_path.iterdir())) == ("old", [path])
