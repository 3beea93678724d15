import numpy as np
import pytest

from models.damage_finder.overview import least_width, shrunk, thick_parts


@pytest.mark.parametrize(
    ("shape", "expected"), [((384, 300), (384, 300)), ((768, 400), (384, 200)), ((3, 5000), (1, 384))]
)
def test_the_long_side_is_at_most_the_overviews(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert shrunk(np.zeros((*shape, 3), np.uint8)).shape[:2] == expected


def test_thick_parts_keep_their_ragged_edge_and_lose_their_lines() -> None:
    mask = np.zeros((60, 80), np.bool_)
    mask[20:40, 20:40] = mask[30:32, 40:70] = mask[19, 24:28] = True
    thick = thick_parts(mask, 9)
    assert thick[20:40, 20:40].all()
    assert thick[19, 24:28].all()
    assert not thick[:, 50:].any()
    assert not thick_parts(np.zeros((5, 5), np.bool_)).any()


@pytest.mark.parametrize(
    ("photo", "tiles", "expected"), [(400, 2.0, 13), (640, 2.0, 8), (1536, 1.5, 5), (4608, 4 / 9, 5), (8448, 1.0, 5)]
)
def test_the_overview_leaves_to_the_tiles_what_they_see_as_28_pixels(photo: int, tiles: float, expected: int) -> None:
    assert least_width(min(1.0, 384 / photo), tiles) == expected
