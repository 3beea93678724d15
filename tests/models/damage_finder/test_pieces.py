import numpy as np
import pytest

from models.damage_finder.damage_map import DamageMap, halved
from models.damage_finder.kinds import KINDS
from models.damage_finder.pieces import find_pieces
from tests.models.damage_finder.finder_site import linear_confidence

CONFIDENCE = linear_confidence(highest=1.0)
"""The highest probability of a piece."""


def damage_map(shape: tuple[int, int], *parts: tuple[slice, slice, int, str]) -> DamageMap:
    probability = np.zeros(shape, np.uint8)
    kind = np.zeros((-(-shape[0] // 2), -(-shape[1] // 2)), np.uint8)
    for rows, columns, level, name in parts:
        probability[rows, columns] = level
        kind[rows.start // 2 : rows.stop // 2, columns.start // 2 : columns.stop // 2] = KINDS.index(name)
    return DamageMap(probability, kind, halved(probability), probability[::2, ::2])


def test_each_piece_has_its_kind_place_size_and_confidence() -> None:
    found = damage_map(
        (60, 80), (slice(10, 12), slice(4, 40), 200, "crack"), (slice(30, 50), slice(50, 70), 250, "hole")
    )
    pieces = find_pieces(found, 0.5, CONFIDENCE)
    assert [KINDS[kind] for kind in pieces.kind] == ["crack", "hole"]
    assert pieces.boxes.tolist() == [[4, 10, 36, 2], [50, 30, 20, 20]]
    assert pieces.pixels.tolist() == [72, 400]
    assert pieces.patch.tolist() == [False, True]
    assert pieces.confidence == pytest.approx([200 / 255, 250 / 255], abs=1e-6)
    damaged = found.probability >= 128
    crack = pieces.mask_of(np.array([True, False]), damaged)
    assert crack.sum() == 72
    assert crack[10:12, 4:40].all()


def test_pieces_of_one_family_join_and_of_two_do_not() -> None:
    crack = (slice(10, 14), slice(4, 20), 255, "crack")
    others = {kind: (slice(10, 14), slice(20, 40), 255, kind) for kind in ("scratch", "stain")}
    assert len(find_pieces(damage_map((400, 600), crack, others["scratch"]), 0.5, CONFIDENCE)) == 1
    assert len(find_pieces(damage_map((400, 600), crack, others["stain"]), 0.5, CONFIDENCE)) == 2


def test_a_crack_that_runs_into_a_lost_corner_is_a_piece_of_its_own() -> None:
    parts = ((slice(0, 100), slice(0, 100), 255, "crack"), (slice(50, 54), slice(100, 400), 255, "crack"))
    pieces = find_pieces(damage_map((400, 600), *parts), 0.5, CONFIDENCE)
    assert pieces.patch.tolist() == [False, True]
    assert pieces.pixels == pytest.approx([1200, 10_000], rel=0.03)


def test_a_flaky_line_is_one_piece_and_keeps_its_own_pixels() -> None:
    found = damage_map((20, 41), *[(slice(8, 9), slice(x, x + 2), 255, "crack") for x in range(0, 40, 3)])
    pieces = find_pieces(found, 0.5, CONFIDENCE)
    assert len(pieces) == 1
    assert np.array_equal(pieces.mask_of(np.array([True]), found.probability > 127), found.probability > 127)


def test_how_much_of_a_piece_lies_along_the_border_is_measured() -> None:
    found = damage_map(
        (100, 200), (slice(0, 2), slice(0, 40), 255, "crack"), (slice(40, 42), slice(0, 60), 255, "crack")
    )
    border = find_pieces(found, 0.5, CONFIDENCE).measured.border
    assert border == pytest.approx([1, 4 / 60])  # 3 % of 100 pixels, counted at half resolution


def test_nothing_is_no_piece() -> None:
    pieces = find_pieces(damage_map((21, 33)), 0.5, CONFIDENCE)
    assert len(pieces) == 0
    assert not pieces.mask_of(np.zeros(0, np.bool_), np.ones((21, 33), np.bool_)).any()


def test_what_the_whole_says_counts_where_the_piece_lies() -> None:
    parts = [(slice(20, 40), slice(20, 40), 255, "hole"), (slice(20, 40), slice(60, 80), 255, "hole")]
    found = damage_map((80, 120), *parts)
    whole = np.zeros((20, 30), np.uint8)
    whole[:, :12] = 204
    told = DamageMap(found.probability, found.kind, found.parts, whole)
    by_whole = linear_confidence(whole=1.0)
    assert find_pieces(told, 0.5, by_whole).confidence == pytest.approx([0.8, 0.003], abs=1e-3)


def test_what_the_whole_claims_does_not_make_the_photo_damaged() -> None:
    found = damage_map((80, 120), (slice(20, 40), slice(20, 40), 255, "hole"))
    raised = DamageMap(np.full((80, 120), 255, np.uint8), found.kind, found.parts, found.whole)
    by_state = linear_confidence(state=1.0)
    states = [find_pieces(one, 0.5, by_state).confidence for one in (found, raised)]
    logit = np.log10(400 / 9600 + 1e-5) + 5
    assert states[0] == pytest.approx([1 / (1 + np.exp(-logit))])
    assert states[1] == pytest.approx(states[0])
