"""Damage taken off real prints: which pixels it covers, what is judged, and how it looks on another picture."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.damage_finder.kinds import KINDS
from models.images import Image
from scripts.assets.finder.hand_drawn import Crack, Print
from scripts.assets.finder.real_damage import RealDamage, moved_damage, real_damage, real_part

GROUND = 90


def photo() -> Image:
    """Grey card of 300 x 400 with a light crack, an unmarked light line, lace in a box, and flakes in another."""
    picture = np.full((300, 400, 3), GROUND, np.uint8)
    cv2.line(picture, (20, 50), (180, 60), (220, 210, 190), 2)
    cv2.line(picture, (220, 50), (380, 60), (220, 210, 190), 2)
    picture[150:180:6, 40:100] = 220
    for x, y in ((250, 200), (270, 230), (300, 210)):
        cv2.circle(picture, (x, y), 1, (230, 230, 230), -1)
    return picture


def drawn_by_hand() -> Print:
    """The crack's line is two pixels off."""
    line = np.array([[20, 52], [180, 62]], np.float32)
    boxes = ((35, 140, 105, 190),), ((240, 190, 320, 240),)
    return Print("card.png", "", (400, 300), (Crack(line, faint=False),), *boxes)


@pytest.fixture(scope="module")
def damage() -> RealDamage:
    return real_damage(photo(), drawn_by_hand())


def test_damage_is_what_stands_out_near_a_line_and_in_flaked_boxes(damage: RealDamage) -> None:
    light = photo()[..., 0] > 150
    expected = np.zeros_like(light)
    expected[40:70, 15:185] = light[40:70, 15:185]
    expected[190:240, 240:320] = light[190:240, 240:320]
    np.testing.assert_array_equal(damage.damaged, expected)
    assert set(damage.kind[damage.damaged & (np.arange(300) < 100)[:, None]]) == {KINDS.index("crack")}
    assert set(damage.kind[damage.damaged & (np.arange(300) > 100)[:, None]]) == {KINDS.index("dust")}


def test_a_line_that_nobody_marked_is_not_judged_but_lace_in_an_intact_box_is(damage: RealDamage) -> None:
    assert not damage.judged[50:61, 225:375][photo()[50:61, 225:375, 0] > 150].any()
    assert damage.judged[145:185, 40:100].all()
    assert damage.judged[280, 200]


def test_details_are_what_stands_out_in_an_intact_box(damage: RealDamage) -> None:
    assert damage.detail[150:180:6, 40:100].all()
    elsewhere = damage.detail.copy()
    elsewhere[140:190, 35:105] = False
    assert not elsewhere.any()


def test_parts_show_details_more_often_than_their_area_would(damage: RealDamage) -> None:
    """Details are white on black: three tenths of the parts lie on them, of plain intact places hardly any."""
    shown = np.zeros((300, 400, 3), np.uint8)
    shown[140:190, 35:105] = 255
    marked = replace(damage, image=shown)
    without = replace(marked, detail=np.zeros_like(damage.detail))
    with_details, by_chance = (
        np.mean([real_part(np.random.default_rng(seed), [one], 48).image.mean() > 60 for seed in range(80)])
        for one in (marked, without)
    )
    assert with_details > by_chance + 0.15


def test_the_layers_give_the_damage_back_over_the_ground_beneath(damage: RealDamage) -> None:
    luma = cv2.cvtColor(photo(), cv2.COLOR_RGB2GRAY).astype(np.float32)
    paper = max(200.0, float(np.quantile(luma[damage.damaged], 0.98)))
    core = cv2.erode(damage.damaged.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    again = GROUND * damage.shade * (1 - damage.lost) + paper * damage.lost
    assert np.abs(again - luma)[core].max() < 12
    assert not damage.lost[100:140].any()
    assert (damage.shade[100:140] == 1).all()


def test_moved_damage_is_labelled_where_the_picture_changed(damage: RealDamage) -> None:
    ground = np.full((160, 160, 3), 60, np.float32)
    found = 0
    for seed in range(12):
        example = moved_damage(np.random.default_rng(seed), ground, [damage])
        changed = np.abs(example.image.astype(float).mean(axis=-1) - 60) > 60
        found += int(changed.sum())
        assert (example.damaged | ~example.judged)[changed].mean() > 0.9 if changed.any() else True
        assert (example.kind[example.damaged] != 255).all()
        assert (example.kind[~example.damaged] == 255).all()
    assert found > 500


def test_a_part_is_a_function_of_the_generator_and_keeps_its_labels_on_the_damage(damage: RealDamage) -> None:
    one, two = (real_part(np.random.default_rng(4), [damage], 128) for _ in range(2))
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.damaged, two.damaged)
    assert one.image.shape == (128, 128, 3)
    lighter = [
        float(part.image[part.damaged].mean()) - float(part.image[part.judged & ~part.damaged].mean())
        for part in (real_part(np.random.default_rng(seed), [damage], 128) for seed in range(10))
        if part.damaged.any()
    ]
    assert min(lighter) > 20
