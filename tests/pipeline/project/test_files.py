"""Files appear whole, also where several write the same one at once."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.project.files import append_line, close_to_others, write_text


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


def test_a_line_is_appended_to_a_file_and_to_nothing_that_a_link_leads_to(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "alerts.jsonl", tmp_path / "code.py"
    for line in ("one", "zwölf"):
        append_line(path, line)
    assert path.read_text(encoding="utf-8") == "one\nzwölf\n"
    elsewhere.write_text("x = 1\n")
    path.unlink()
    path.symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"):
        append_line(path, "import os")
    assert elsewhere.read_text() == "x = 1\n"


def test_what_lies_on_a_read_only_mount_stays_open_and_the_rest_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("alerts", "production", "tokens")
    for name in names:
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    change = Path.chmod

    def refuse_production(self: Path, mode: int) -> None:
        if self.name == "production":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        change(self, mode)

    monkeypatch.setattr(Path, "chmod", refuse_production)
    close_to_others(tmp_path)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in names] == [0o600, 0o644, 0o600]
