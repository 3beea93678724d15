from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError, MaskError
from models.images import Mask
from pipeline.damage.picture import mask_from_picture
from pipeline.used_mask import UsedMask, mask_for
from tests.models.finder_site import red_finder
from tests.pipeline.restore_site import FACELESS, PARAMS

PHOTO = np.full((60, 80, 3), 90, np.uint8)
PHOTO[10:30, 20:50] = (255, 0, 0)


def square() -> Mask:
    mask = np.zeros((60, 80), np.bool_)
    mask[40:50, 40:60] = True
    return mask


def test_a_given_mask_wins_over_the_finder(tmp_path: Path) -> None:
    UsedMask(square(), "given").keep(tmp_path / "m.png")
    used = mask_for(PHOTO, tmp_path / "m.png", "auto", red_finder(), FACELESS, PARAMS)
    assert (used.source, used.confidence, used.doubt) == ("given", None, "")
    assert np.array_equal(used.mask, square())
    with pytest.raises(MaskError, match="a mask file"):
        mask_for(PHOTO, tmp_path, "auto", None, FACELESS, PARAMS)


def test_without_one_it_is_found() -> None:
    used = mask_for(PHOTO, None, "auto", red_finder(), FACELESS, PARAMS)
    assert used.source == "found"
    assert used.mask[10:30, 20:50].all()
    assert used.confidence is not None
    assert 0.9 < used.confidence <= 1
    with pytest.raises(DataError, match="give --mask"):
        mask_for(PHOTO, None, "auto", None, FACELESS, PARAMS)


def test_inpaint_overrides_doubt_but_not_emptiness() -> None:
    unsure = PARAMS.model_copy(update={"finder_certain": 0.7, "finder_min_confidence": 0.9})
    finder = red_finder(scale=1.0)
    assert "confidence" in mask_for(PHOTO, None, "auto", finder, FACELESS, unsure).doubt
    assert mask_for(PHOTO, None, "inpaint", finder, FACELESS, unsure).doubt == ""
    assert "no damage" in mask_for(np.full_like(PHOTO, 90), None, "inpaint", finder, FACELESS, unsure).doubt


def test_colour_alone_needs_neither_mask_nor_finder() -> None:
    used = mask_for(PHOTO, None, "colorize", None, FACELESS, PARAMS)
    assert used.source == "whole photo"
    assert used.mask.all()
    assert used.doubt == ""


def test_the_note_tells_what_was_kept_where(tmp_path: Path) -> None:
    used = UsedMask(square(), "found", 0.875)
    assert used.keep(None).as_text() == "mask found: 4.2% of the photo, confidence 0.88"
    note = used.keep(tmp_path / "masks" / "m.png")
    assert note.area == pytest.approx(200 / 4800)
    assert note.as_text().endswith(f"-> {tmp_path / 'masks' / 'm.png'}")
    assert np.array_equal(mask_from_picture(tmp_path / "masks" / "m.png", (60, 80)), square())
    assert UsedMask(square() & False, "found").keep(None).as_text() == "mask: none found"


def test_a_mask_with_nothing_in_it_is_written_too(tmp_path: Path) -> None:
    UsedMask(square() & False, "found").keep(tmp_path / "m.png")
    with pytest.raises(MaskError, match="all black"):
        mask_from_picture(tmp_path / "m.png", (60, 80))
