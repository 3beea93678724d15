import numpy as np
import pytest

from models.images import Image
from pipeline.damage.print_look import framed, scanned, toned


@pytest.fixture(scope="module")
def portrait() -> Image:
    from skimage import data

    return np.asarray(data.astronaut())[:100, 180:280]


def test_each_is_repeatable_and_leaves_its_input(portrait: Image) -> None:
    before = portrait.copy()
    for look in (toned, framed, scanned):
        first, second = (look(np.random.default_rng(4), portrait) for _ in range(2))
        assert np.array_equal(first, second)
        assert (first.shape, first.dtype) == (portrait.shape, np.uint8)
    assert np.array_equal(portrait, before)


def test_one_print_in_five_has_a_single_tone() -> None:
    ramp = np.linspace(60, 190, 16, dtype=np.uint8)
    crossed = np.stack([np.tile(ramp, (16, 1)), np.tile(ramp[:, None], (1, 16)), np.tile(ramp[::-1], (16, 1))], axis=-1)
    rng = np.random.default_rng(0)
    tones = [toned(rng, crossed) for _ in range(400)]
    single = sum(np.corrcoef(tone[..., 0].ravel(), tone[..., 1].ravel())[0, 1] > 0.99 for tone in tones)
    assert 60 <= single <= 100


def test_a_frame_is_one_colour_on_all_four_sides(portrait: Image) -> None:
    picture = framed(np.random.default_rng(1), portrait)
    sides = np.concatenate([picture[:2].reshape(-1, 3), picture[-2:].reshape(-1, 3), picture[:, :2].reshape(-1, 3)])
    assert len(np.unique(sides, axis=0)) == 1
    assert len(np.unique(picture[20:80, 20:80].reshape(-1, 3), axis=0)) > 100


def test_scans_stay_close_to_the_picture(portrait: Image) -> None:
    rng = np.random.default_rng(2)
    gaps = [np.abs(scanned(rng, portrait).astype(int) - portrait).mean() for _ in range(20)]
    assert max(gaps) < 12
    assert min(gaps) == 0  # some pictures are left as they are
