"""What was not taken is copied aside, unless somebody let us keep it under a consent that ends."""

import json
from functools import partial
from pathlib import Path

import pytest

from pipeline.config.load import load_params
from pipeline.engine.interface import Shard
from pipeline.image_io.outcome import Code, Rejected
from pipeline.portraits.quarantine import Quarantine
from pipeline.portraits.take import PutAside, Taker
from pipeline.sources.item import SourceItem
from tests.conftest import ROOT

BAD = Rejected(Code.CORRUPT, "cut short", "f" * 64, b"half a picture")


def _give(outcome: Rejected) -> Rejected:
    return outcome


@pytest.mark.parametrize(("consent", "copies"), [("", ["ffffffffffffffff.bin"]), ("r1", [])])
def test_a_kept_picture_has_a_record_but_no_copy(consent: str, copies: list[str], tmp_path: Path) -> None:
    params, quarantine = load_params(ROOT / "params.yaml"), Quarantine(tmp_path / "quarantine")
    taker = Taker("", "folder", params.data.split, params.identity, 0.6, 128, tmp_path, tmp_path / "quarantine")
    item = SourceItem("a/r1/reference-1.png", "a", "train", partial(_give, BAD), consent=consent)
    (taken,) = taker(Shard("ingest", 0, 0, (item,)))
    assert isinstance(taken, PutAside)
    quarantine.add(taken.record)
    (line,) = (tmp_path / "quarantine" / "records.jsonl").read_text(encoding="ascii").splitlines()
    assert json.loads(line) == {
        "id": "f" * 16, "file": "a/r1/reference-1.png", "code": "corrupt", "detail": "cut short", "sha256": "f" * 64,
        "bytes": len(b"half a picture"),
    }  # fmt: skip
    assert quarantine.codes == {"corrupt": 1}
    assert [file.name for file in tmp_path.glob("quarantine/*.bin")] == copies
