"""A veil is lifted at the depth and in the greys of the file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from restoration.files.write_back import write_back
from restoration.photo.colour.veil import Veil
from tests.restoration.files.test_write_back import HOLE, LIMITS, MARK, PAINT, accepted, deep_png, ramps, saved


def yellow_veil() -> Veil:
    """A veil that left more than half of red's range, and half of blue's."""
    return Veil(np.array([1.6, 1.7, 2.0], np.float32), np.full(3, -40, np.float32), None, 1.0)


def test_a_veil_is_lifted_at_sixteen_bits(tmp_path: Path) -> None:
    samples = (ramps(3, np.uint16) // 2 + 9000).astype(np.uint16)
    photo = accepted(deep_png(samples))
    veil = yellow_veil()
    image = veil.lift(photo.image)
    image[HOLE] = PAINT
    out = tmp_path / "out.png"
    assert not write_back(out, photo, image, LIMITS, MARK, strip=False, coloured=False, veil=veil).lossless
    read = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert read is not None
    written = read[..., ::-1]
    assert written.dtype == np.uint16
    expected = np.clip(samples * [1.6, 1.7, 2.0] - 40 * 257, 0, 65535)
    assert np.abs(written - expected)[~HOLE].max() <= 1
    assert (written[HOLE] == np.array(PAINT) * 257).all()
    assert len(np.unique(written[~HOLE] % 257)) > 200  # more than eight bits


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_grey_file_whose_veil_is_lifted_stays_grey(tmp_path: Path, suffix: str) -> None:
    photo = accepted(saved(ramps(1) // 2 + 40, "PNG"))
    stain = np.zeros((2, 2, 3), np.float32)
    veil = Veil(np.full(3, 1.5, np.float32), np.full(3, -40, np.float32), stain, 1.0)
    image = veil.lift(photo.image)
    write_back(tmp_path / f"out{suffix}", photo, image, LIMITS, MARK, strip=False, coloured=False, veil=veil)
    with Pillow.open(tmp_path / f"out{suffix}") as written:
        assert written.mode == "L"
        apart = np.abs(np.asarray(written).astype(int) - image[..., 0])
        assert apart.max() <= 1  # halves may be rounded either way
