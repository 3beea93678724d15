from pathlib import Path

import numpy as np
import pytest
from skimage.color import rgb2lab

from models.errors import DataError, MaskError
from models.images import Image, Mask
from pipeline.damage.picture import mask_from_picture
from pipeline.image_io.write import read_picture
from restoration.mask import PROPOSED_GREY, UsedMask, mask_for, restore_used
from restoration.photo.classical import luma
from tests.models.damage_finder.finder_site import red_finder
from tests.restoration.files.test_restore_files import LIMITS
from tests.restoration.site import FACELESS, PARAMS, Painter, tools

PHOTO = np.full((160, 180, 3), 90, np.uint8)
PHOTO[10:30, 20:30] = (255, 0, 0)
PHOTO[100:110, 120:140] = (140, 0, 0)


def square() -> Mask:
    mask = np.zeros((160, 180), np.bool_)
    mask[40:50, 40:60] = True
    return mask


def test_a_given_mask_wins_over_the_finder(tmp_path: Path) -> None:
    UsedMask(square(), "given").keep(tmp_path / "m.png")
    used = mask_for(PHOTO, tmp_path / "m.png", "auto", red_finder(), FACELESS, PARAMS)
    assert (used.source, used.confidence, used.proposed) == ("given", None, 0.0)
    assert np.array_equal(used.mask, square())
    with pytest.raises(MaskError, match="a mask file"):
        mask_for(PHOTO, tmp_path, "auto", None, FACELESS, PARAMS)


def test_without_one_what_is_sure_is_taken_and_with_inpaint_all() -> None:
    used = mask_for(PHOTO, None, "auto", red_finder(), FACELESS, PARAMS)
    assert used.source == "found"
    assert used.mask.sum() == 200
    assert used.mask[10:30, 20:30].all()
    assert used.proposed == pytest.approx(200 / PHOTO[..., 0].size)
    everything = mask_for(PHOTO, None, "inpaint", red_finder(), FACELESS, PARAMS)
    assert everything.mask[100:110, 120:140].all()
    assert everything.mask.sum() == 400
    assert everything.proposed == 0.0
    assert [piece.used for piece in everything.pieces] == [True, True]
    assert used.confidence is not None
    assert everything.confidence is not None
    assert everything.confidence < used.confidence
    with pytest.raises(DataError, match=r"no damage finder; got none; give a mask \(--mask\)"):
        mask_for(PHOTO, None, "auto", None, FACELESS, PARAMS)


def test_colour_alone_needs_neither_mask_nor_finder() -> None:
    used = mask_for(PHOTO, None, "colorize", None, FACELESS, PARAMS)
    assert used.source == "whole photo"
    assert used.mask.all()


def test_where_nothing_is_sure_the_photo_comes_back_as_it_came() -> None:
    photo = PHOTO.copy()
    photo[10:30, 20:30] = 90
    used = mask_for(photo, None, "auto", red_finder(), FACELESS, PARAMS)
    restored = restore_used(photo, used, Painter(), "auto", PARAMS, (), tools())
    assert restored.mode == "unchanged"
    assert restored.image is not None
    assert np.array_equal(restored.image, photo)
    assert "no damage was found for certain; 0.7% of the photo may be damaged" in restored.reason
    intact = np.full_like(photo, 90)
    nothing = mask_for(intact, None, "inpaint", red_finder(), FACELESS, PARAMS)
    assert (
        "no damage was found; mark it"
        in restore_used(intact, nothing, Painter(), "inpaint", PARAMS, (), tools()).reason
    )


def test_a_found_crack_is_filled_without_any_face() -> None:
    used = mask_for(PHOTO, None, "auto", red_finder(), FACELESS, PARAMS)
    restored = restore_used(PHOTO, used, Painter(), "auto", PARAMS, (), tools())
    assert restored.mode == "inpaint"
    assert restored.image is not None
    assert np.abs(restored.image[10:30, 20:30].astype(int) - 90).max() <= 3
    assert np.array_equal(restored.image[100:110, 120:140], PHOTO[100:110, 120:140])
    assert "no face was found; the damage was filled from its surroundings" in restored.reason


def test_a_found_loss_at_the_border_of_a_sepia_print_is_filled_in_its_tone_and_without_its_flakes() -> None:
    rng = np.random.default_rng(6)
    ramp = 70 + np.linspace(0, 60, 360)[None, :, None] + rng.normal(0, 5, (300, 360, 1))
    photo = np.rint(ramp * np.array([1.15, 0.95, 0.75])).astype(np.uint8)
    marked = np.zeros(photo.shape[:2], np.bool_)
    marked[:70, :70] = np.add.outer(np.arange(70), np.arange(70)) < 70
    marked[200:216, 60:300] = True
    left = np.zeros_like(marked)
    left[30:36, 39:45] = True  # a flake of paper beside the corner
    left[206:209, 100:220] = True  # a sliver within the bar
    torn = photo.copy()
    torn[marked | left] = (226, 206, 160)
    marked &= ~left
    damage, before = marked | left, luma_of(photo)

    found, given = (
        restore_used(torn, UsedMask(marked, source), Painter(), "auto", PARAMS, (), tools()).image
        for source in ("found", "given")
    )
    assert found is not None
    assert np.abs(luma_of(found) - before)[damage].mean() < 9
    assert (luma_of(found)[damage] < 170).all()  # no flake is drawn out
    hue, wanted = (np.degrees(np.arctan2(*np.moveaxis(rgb2lab(one)[damage][:, :0:-1], 1, 0))) for one in (found, photo))
    assert np.quantile(np.abs(hue - np.median(wanted)), 0.95) < 8
    assert given is None or np.array_equal(given[left], torn[left])


def luma_of(photo: Image) -> np.ndarray:
    return luma(photo)[..., 0]


def test_the_picture_of_a_mask_has_two_levels_and_reads_back_as_the_first(tmp_path: Path) -> None:
    doubtful = np.zeros_like(square())
    doubtful[100:120, 10:20] = True
    used = UsedMask(square(), "found", 0.875, doubtful)
    note = used.keep(tmp_path / "masks" / "m.png")
    levels = read_picture(tmp_path / "masks" / "m.png", LIMITS)[..., 0]
    assert set(np.unique(levels)) == {0, PROPOSED_GREY, 255}
    assert np.array_equal(levels == PROPOSED_GREY, doubtful)
    assert np.array_equal(mask_from_picture(tmp_path / "masks" / "m.png", (160, 180)), square())
    assert note.area == pytest.approx(200 / 28_800)
    expected = f"mask found: 0.7% of the photo, confidence 0.88, 0.7% more proposed -> {tmp_path / 'masks' / 'm.png'}"
    assert note.as_text() == expected
    assert UsedMask(square() & False, "found").keep(None).as_text() == "mask: none found for certain"


def test_a_mask_with_nothing_in_it_is_written_too(tmp_path: Path) -> None:
    UsedMask(square() & False, "found").keep(tmp_path / "m.png")
    with pytest.raises(MaskError, match="all black"):
        mask_from_picture(tmp_path / "m.png", (160, 180))
