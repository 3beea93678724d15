import numpy as np

from models.damage_finder.network import STRIDE
from models.damage_finder.tiles import MARGIN, TILE, tiles


def test_tiles_cover_each_pixel_once_and_see_beyond_their_border() -> None:
    image = np.random.default_rng(0).integers(0, 255, (TILE + 100, 2 * TILE + 31, 3), dtype=np.uint8)
    seen = np.zeros(image.shape[:2], np.int64)
    for rows, columns, part in tiles(image):
        seen[rows, columns] += 1
        assert part.shape[0] % STRIDE == part.shape[1] % STRIDE == 0
        size = rows.stop - rows.start, columns.stop - columns.start
        assert np.array_equal(part[MARGIN : MARGIN + size[0], MARGIN : MARGIN + size[1]], image[rows, columns])
        if columns.start >= MARGIN:
            assert np.array_equal(
                part[MARGIN : MARGIN + size[0], :MARGIN], image[rows, columns.start - MARGIN : columns.start]
            )
    assert (seen == 1).all()
