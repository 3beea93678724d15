"""What a mask left of its damage is taken as well, and nothing of the photo."""

import cv2
import numpy as np

from models.images import Image, Mask
from restoration.photo.leftovers import with_leftovers
from tests.restoration.site import astronaut

SIDE = 300
PAPER = (226, 206, 160)


def sepia() -> Image:
    """A dark sepia ground with grain."""
    rng = np.random.default_rng(2)
    levels = 80 + rng.normal(0, 6, (SIDE, SIDE, 1))
    return np.asarray(np.rint(levels * np.array([1.15, 0.95, 0.75])), np.uint8)


def bar() -> Mask:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[140:156, 40:260] = True
    return mask


def test_slivers_and_flakes_of_bare_paper_are_taken() -> None:
    image, damage = sepia(), bar()
    damage[156:161, 100:120] = True  # a flake beside it
    image[damage] = PAPER
    mask = bar()
    mask[146:149, 80:200] = False  # a sliver within it
    assert np.array_equal(with_leftovers(image, mask), damage)


def test_a_loss_at_the_border_takes_its_flakes_along() -> None:
    image, damage = sepia(), np.zeros((SIDE, SIDE), np.bool_)
    damage[:60, :60] = np.add.outer(np.arange(60), np.arange(60)) < 60
    mask = damage.copy()
    image[damage] = (252, 252, 252)
    flakes = np.zeros_like(damage)
    flakes[20:25, 38:44] = True
    flakes[50:56, 3:9] = True
    flakes &= ~damage
    image[flakes] = PAPER
    assert np.array_equal(with_leftovers(image, mask), damage | flakes)


def test_what_goes_on_beyond_the_limit_or_is_not_connected_is_the_photos_own() -> None:
    image, mask = sepia(), bar()
    image[mask] = PAPER
    image[170:176, 100:120] = PAPER  # a button
    image[156:200, 200:206] = PAPER  # a stripe that begins at the damage
    assert np.array_equal(with_leftovers(image, mask), mask)


def test_on_ground_that_varies_nothing_is_taken() -> None:
    checked = np.indices((SIDE, SIDE)).sum(axis=0) // 12 % 2 * 130 + 60
    image, mask = np.repeat(checked[..., None], 3, axis=-1).astype(np.uint8), bar()
    image[mask] = (240, 240, 240)
    assert np.array_equal(with_leftovers(image, mask), mask)


def test_a_face_is_not_eaten_by_lines_that_are_masked_whole() -> None:
    photo = astronaut()
    mask = np.zeros(photo.shape[:2], np.uint8)
    for start, end in (((180, 30), (300, 230)), ((260, 40), (200, 260)), ((60, 300), (420, 330))):
        cv2.line(mask, start, end, 1, 4)
    for colour in ((250, 250, 245), (120, 84, 48), (8, 8, 10)):
        image = photo.copy()
        image[mask > 0] = colour
        taken = with_leftovers(image, mask > 0) & (mask == 0)
        assert taken.sum() < 0.02 * mask.sum()


def test_an_empty_and_a_full_mask_stay() -> None:
    image = sepia()
    for mask in (np.zeros((SIDE, SIDE), np.bool_), np.ones((SIDE, SIDE), np.bool_)):
        assert np.array_equal(with_leftovers(image, mask), mask)


def test_tiles_make_no_difference() -> None:
    rng = np.random.default_rng(4)
    image = np.rint(80 + rng.normal(0, 6, (700, 700, 1)) * np.ones(3)).astype(np.uint8)
    mask = np.zeros((700, 700), np.bool_)
    mask[250:270, 100:600] = True
    image[mask] = PAPER
    image[270:275, 250:262] = PAPER  # across the edge of a tile
    expected = mask.copy()
    expected[270:275, 250:262] = True
    assert np.array_equal(with_leftovers(image, mask), expected)
