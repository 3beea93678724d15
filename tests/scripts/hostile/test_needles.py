"""A secret is found in whatever form a program may have written it."""

import base64
import io
import json
import tarfile
from pathlib import Path

import pytest

from scripts.hostile.needles import found_below, found_in, found_in_backup

SECRET = bytes(range(40, 88))
NEEDLES = {"secret": SECRET}


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
def test_bytes_hexadecimal_digits_and_base64_at_each_offset(before: bytes) -> None:
    content = before + SECRET + b"more"
    for written in (content, content.hex().encode(), content.hex().upper().encode(), base64.b64encode(content)):
        assert found_in(written, NEEDLES) == ["secret"]
        assert found_in(written[:30], NEEDLES) == []


def test_a_word_as_json_escapes_it() -> None:
    word = "canary \u20ac é".encode("latin-1", "replace")
    assert found_in(json.dumps({"a": word.decode("latin-1")}).encode(), {}) == []
    assert found_in(word.decode("latin-1").encode("unicode_escape"), {"word": word}) == ["word"]


def test_too_short_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="got 7"):
        found_in(b"x", {"short": b"1234567"})


def test_contents_and_names_of_files_but_not_admitted_ones(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" + SECRET)
    (tmp_path / SECRET[20:].hex()).write_bytes(b"")
    needles = NEEDLES | {"end": SECRET[20:]}
    assert found_below(tmp_path, needles) == [f"end in {SECRET[20:].hex()}", "secret in a/file", "end in a/file"]
    assert found_below(tmp_path, NEEDLES, admitted=[tmp_path / "a"]) == []


def test_members_of_a_backup(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "b", "w:gz") as archive:
        member = tarfile.TarInfo("state/file")
        member.size = len(SECRET)
        archive.addfile(member, io.BytesIO(SECRET))
    assert found_in_backup(tmp_path / "b", NEEDLES) == ["secret in state/file"]
