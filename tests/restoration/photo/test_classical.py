import cv2
import numpy as np

from models.images import Image
from restoration.photo.classical import classical_photo, grey, is_colourless, keep_luma


def photo(height: int, width: int) -> Image:
    y, x = np.mgrid[:height, :width]
    channels = [x * 255 / width, y * 255 / height, 127 + 100 * np.sin(x / 37)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def test_small_photos_get_exactly_opencvs_telea() -> None:
    image = photo(60, 90)
    hole = np.zeros((60, 90), np.bool_)
    hole[20:30, 40:60] = True
    expected = cv2.inpaint(image, hole.astype(np.uint8), 3.0, cv2.INPAINT_TELEA)
    result = classical_photo(image, hole, hole)
    assert np.array_equal(result[hole], expected[hole])
    assert np.array_equal(result[~hole], image[~hole])


def test_large_photos_are_filled_smaller_and_known_pixels_stay() -> None:
    image = photo(300, 2500)
    hole = np.zeros((300, 2500), np.bool_)
    hole[100:160, 800:900] = True
    damaged = image.copy()
    damaged[hole] = (255, 0, 255)  # must not bleed into the fill
    result = classical_photo(damaged, hole, hole)
    assert np.array_equal(result[~hole], image[~hole])
    whole = cv2.inpaint(damaged, hole.astype(np.uint8), 3.0, cv2.INPAINT_TELEA)
    off, whole_off = (np.abs(picture.astype(int) - image)[hole].mean() for picture in (result, whole))
    assert off < 1.2 * whole_off


def test_lost_colour_comes_back_at_the_known_luma() -> None:
    image = photo(64, 64)
    chroma = np.zeros((64, 64), np.bool_)
    chroma[20:40, 20:40] = True
    faded = np.where(chroma[..., None], cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], image)
    result = classical_photo(faded, np.zeros_like(chroma), chroma)
    luma = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[chroma].astype(int) for picture in (result, faded))
    assert np.abs(np.subtract(*luma)).max() <= 2
    assert np.abs(result.astype(int) - image)[chroma].mean() < np.abs(faded.astype(int) - image)[chroma].mean() / 3


def test_colour_that_does_not_fit_is_made_paler_so_that_luma_stays() -> None:
    known = np.full((1, 2, 3), (250, 250, 250), np.uint8)
    strong = np.full((1, 2, 3), (255, 0, 0), np.uint8)
    result = strong.copy()
    keep_luma(known, result, np.array([[True, False]]), np.zeros((1, 2), np.bool_))
    assert abs(int(cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)[0, 0]) - 250) <= 1
    assert result[0, 0, 0] > result[0, 0, 1]
    assert tuple(result[0, 1]) == (255, 0, 0)


def test_black_and_white_photographs_are_recognised_by_their_known_pixels() -> None:
    picture = grey(photo(8, 8))
    hole = np.zeros((8, 8), np.bool_)
    hole[2] = True
    picture[hole] = (255, 0, 0)
    assert is_colourless(picture, hole)
    assert not is_colourless(picture, np.zeros_like(hole))
    assert not is_colourless(picture, np.ones_like(hole))  # nothing known, nothing claimed
