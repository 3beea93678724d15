"""What was not taken is copied aside, unless somebody let us keep it under a consent that ends."""

import json
from pathlib import Path

import pytest

from pipeline.image_io.outcome import Code, Rejected
from pipeline.portraits.quarantine import Quarantine
from pipeline.sources.item import SourceItem

BAD = Rejected(Code.CORRUPT, "cut short", "f" * 64, b"half a picture")


@pytest.mark.parametrize(("consent", "copies"), [("", ["ffffffffffffffff.bin"]), ("r1", [])])
def test_a_kept_picture_has_a_record_but_no_copy(consent: str, copies: list[str], tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.reject(SourceItem("a/r1/reference-1.png", "a", "train", lambda: BAD, consent=consent), BAD)
    (line,) = (tmp_path / "quarantine" / "records.jsonl").read_text(encoding="ascii").splitlines()
    assert json.loads(line)["code"] == "corrupt"
    assert quarantine.codes == {"corrupt": 1}
    assert [file.name for file in tmp_path.glob("quarantine/*.bin")] == copies
