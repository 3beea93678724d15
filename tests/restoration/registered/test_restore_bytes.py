"""Photos as bytes: what files give, and what is wrong with them is told in the row."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.errors import ConfigError
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import encoded, read_picture
from restoration.files.requests import requests
from restoration.files.restore_files import Settings, restore_file
from restoration.registered.load import asked_for
from restoration.registered.restore_bytes import restore_bytes
from tests.conftest import ROOT
from tests.models.damage_finder.finder_site import red_finder
from tests.restoration.site import PARAMS, Painter, astronaut, box_over, damage, tools

LIMITS = Limits.of(load_params(ROOT / "params.yaml").restore.files)
SETTINGS = Settings(Painter(), "7", "auto", PARAMS, LIMITS, tools(), finder=red_finder())
UNLIKE = ("input", "output", "milliseconds")
"""What differs between two restorations of one photo: names of files, and time."""


@pytest.fixture(scope="module")
def photo_and_mask() -> tuple[bytes, bytes]:
    """A JPEG and a mask over a part of its face."""
    photo = np.ascontiguousarray(astronaut()[:280, 80:360])
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, (0.2, 0.55, 0.8, 1.0))
    return encoded(damage(photo, mask), ".jpg"), encoded(mask * np.uint8(255), ".png")


def row(answer_row: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer_row)
    return found


def test_bytes_give_what_files_give(tmp_path: Path, photo_and_mask: tuple[bytes, bytes]) -> None:
    photo, mask = photo_and_mask
    (tmp_path / "p.jpg").write_bytes(photo)
    (tmp_path / "m.png").write_bytes(mask)
    expected = restore_file(requests(tmp_path / "p.jpg", tmp_path / "m.png", tmp_path / "o.jpg")[0], SETTINGS)
    answer = restore_bytes(photo, mask, SETTINGS)
    (tmp_path / "a.jpg").write_bytes(answer.picture or b"")
    first, second = (read_picture(tmp_path / name, LIMITS) for name in ("a.jpg", "o.jpg"))
    np.testing.assert_array_equal(first, second)
    found, wanted = row(answer.row), row(expected.as_json())
    assert (found["input"], found["output"], found["outcome"]) == ("photo", "photo-restored.jpg", "restored")
    assert {name: value for name, value in found.items() if name not in UNLIKE} == {
        name: value for name, value in wanted.items() if name not in UNLIKE
    }


@pytest.mark.parametrize("no_mask", [None, b"", ""])
def test_without_a_mask_damage_is_searched(no_mask: object) -> None:
    photo = astronaut()[:200, 80:300].copy()
    assert row(restore_bytes(encoded(photo, ".png"), no_mask, SETTINGS).row)["outcome"] == "unchanged"
    cv2.rectangle(photo, (4, 90), (30, 110), (255, 0, 0), -1)
    found = row(restore_bytes(encoded(photo, ".png"), no_mask, SETTINGS).row)
    assert (found["outcome"], found["mask"]["source"]) == ("restored", "found")


@pytest.mark.parametrize(
    ("photo", "mask", "expected"),
    [
        ("a text", None, "expected the photo as bytes of a picture file; got str, no bytes"),
        (None, None, "got NoneType, no bytes"),
        (b"a text", None, "expected a readable picture at photo; got unsupported_format"),
        (b"\xff\xd8\xff\xe0 no picture", None, "expected a readable picture at photo; got corrupt"),
        (encoded(np.full((80, 80, 3), 90, np.uint8), ".png"), b"a text", "expected a mask picture at mask"),
    ],
    ids=["text", "nothing", "bytes of a text", "broken", "mask of a text"],
)
def test_what_is_wrong_is_a_row(photo: object, mask: object, expected: str) -> None:
    answer = restore_bytes(photo, mask, SETTINGS)
    found = row(answer.row)
    assert (answer.picture, found["outcome"], found["input"]) == (None, "failed", "photo")
    assert expected in found["reason"]


def test_nothing_of_a_photo_stays_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo_and_mask: tuple[bytes, bytes]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    restore_bytes(*photo_and_mask, SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_a_request_chooses_as_the_command_line_does() -> None:
    chosen = asked_for(SETTINGS, {"mode": "inpaint", "strength": 0.5, "fade": True, "strip": True})
    assert chosen == replace(SETTINGS, mode="inpaint", strength=0.5, fade=True, strip=True)
    assert asked_for(SETTINGS, {}) == SETTINGS


@pytest.mark.parametrize(("params", "reason"), [({"mode": "all"}, "mode: one of"), ({"strength": 1.5}, "strength: 0")])
def test_a_choice_that_is_none(params: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        asked_for(SETTINGS, params)
