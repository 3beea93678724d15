import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import assets
from models.damage_finder.confidence import Measured
from models.damage_finder.damage_map import DamageMap, halved
from models.damage_finder.kinds import KINDS, Kind
from models.damage_finder.pieces import Pieces
from models.errors import WeightsError
from models.face.detector import Face
from models.images import Image
from pipeline.config.load import load_params
from restoration.find_damage import (
    OTHER_PROPOSED,
    OTHER_USED,
    FoundDamage,
    _is_area,
    find_damage,
    shipped_finder,
)
from restoration.types import Detector
from scripts.benchmarks.finder_rules import Searched
from tests.conftest import ROOT
from tests.models.damage_finder.finder_site import red_finder
from tests.restoration.site import FACELESS, PARAMS, astronaut, tools

SHIPPED = load_params(ROOT / "params.yaml").restore.finder
RED, LESS_RED, DARK_RED = (255, 0, 0), (160, 0, 0), (140, 0, 0)


def grey_with(*parts: tuple[slice, slice, tuple[int, int, int]]) -> Image:
    """200 x 300 pixels with coloured rectangles."""
    picture = np.full((200, 300, 3), 90, np.uint8)
    for rows, columns, colour in parts:
        picture[rows, columns] = colour
    return picture


def found_in(picture: Image, detector: Detector = FACELESS) -> FoundDamage:
    return find_damage(picture, red_finder(), detector, PARAMS.finder)


class OneFace:
    """Sees one face over the middle of the 200 x 300 picture."""

    def detect(self, image: Image) -> list[Face]:
        points = np.array([[124, 85], [156, 85], [140, 105], [128, 125], [152, 125]], np.float32)
        return [Face((100.0, 50.0, 80.0, 100.0), points, 0.95)]


def test_sure_pieces_are_used_and_doubtful_ones_proposed() -> None:
    found = found_in(grey_with((slice(20, 30), slice(40, 60), RED), (slice(100, 108), slice(200, 250), DARK_RED)))
    assert found.sure[20:30, 40:60].all()
    assert found.sure.sum() == 200
    assert found.doubtful[100:108, 200:250].all()
    assert found.doubtful.sum() == 400
    assert found.count == 2
    doubtful, sure = found.pieces
    assert (sure.kind, sure.used, sure.why, sure.box) == ("hole", True, "", (40, 20, 20, 10))
    assert sure.area == pytest.approx(200 / 60_000)
    assert (doubtful.used, doubtful.why) == (False, "not sure enough")
    assert 0.4 <= doubtful.confidence < 0.8 < sure.confidence
    assert found.confidence == pytest.approx(sure.confidence)
    assert np.array_equal(found.labels, found.doubtful * np.uint8(1) + found.sure * np.uint8(2))


def test_pieces_that_are_not_listed_have_labels_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restoration.find_damage._LISTED", 1)
    large, small = (slice(20, 30), slice(40, 60)), (slice(20, 30), slice(100, 106))
    unsure = (slice(60, 64), slice(9, 19))
    found = found_in(grey_with((*large, RED), (*small, RED), (*unsure, DARK_RED)))
    assert (len(found.pieces), found.count) == (1, 3)
    assert set(found.labels[large].flat) == {1}
    assert set(found.labels[small].flat) == {OTHER_USED}
    assert set(found.labels[unsure[0], 10:18].flat) == {OTHER_PROPOSED}


def test_nothing_is_a_value() -> None:
    found = found_in(grey_with())
    assert not found.sure.any()
    assert not found.doubtful.any()
    assert (found.pieces, found.count, found.confidence) == ((), 0, None)


def test_what_is_large_and_at_the_border_is_only_proposed() -> None:
    mount = found_in(grey_with((slice(0, 200), slice(0, 40), RED)))
    assert not mount.sure.any()
    assert mount.doubtful[:, :40].all()
    assert "mount" in mount.pieces[0].why
    inside = found_in(grey_with((slice(50, 150), slice(100, 140), RED)))
    assert inside.sure[50:150, 100:140].all()


def test_a_thin_crack_from_border_to_border_is_used_however_long() -> None:
    found = found_in(grey_with((slice(60, 62), slice(0, 300), RED), (slice(0, 200), slice(80, 82), RED)))
    assert found.sure[60:62].all()
    assert found.sure[:, 80:82].all()


def test_what_covers_most_of_a_face_is_only_proposed() -> None:
    picture = grey_with((slice(60, 150), slice(105, 175), RED))
    found = found_in(picture, OneFace())
    assert not found.sure.any()
    assert found.pieces[0].why == "it covers most of a face"


def test_what_lies_within_a_feature_must_be_surer_than_what_crosses_it() -> None:
    pupil = found_in(grey_with((slice(80, 90), slice(120, 130), LESS_RED)), OneFace())
    assert not pupil.sure.any()
    assert pupil.doubtful[82:88, 122:128].all()
    assert pupil.pieces[0].why == "not sure enough"
    assert 0.8 < pupil.pieces[0].confidence < 0.9
    assert found_in(grey_with((slice(80, 90), slice(120, 130), RED)), OneFace()).sure.any()
    crack = found_in(grey_with((slice(82, 86), slice(60, 240), RED)), OneFace())
    assert crack.sure[83:85, 62:238].all()
    line = (slice(10, 12), slice(20, 120), RED)
    cheek = found_in(grey_with((slice(104, 108), slice(168, 172), LESS_RED), line), OneFace())
    assert cheek.sure[105:107, 169:171].all()
    pupil = found_in(grey_with((slice(80, 90), slice(120, 130), LESS_RED), line), OneFace())
    assert not pupil.sure[80:90, 120:130].any()


def test_weak_pieces_count_only_beside_a_certain_one() -> None:
    params = PARAMS.finder.model_copy(update={"certain": 0.95})
    weak, strong = (slice(20, 24), slice(40, 48), LESS_RED), (slice(100, 108), slice(200, 250), RED)
    alone = find_damage(grey_with(weak), red_finder(), FACELESS, params)
    assert not alone.sure.any()
    assert alone.doubtful[21:23, 42:46].all()
    assert find_damage(grey_with(weak, strong), red_finder(), FACELESS, params).sure[21:23, 42:46].all()


def test_beside_a_net_of_sure_lines_doubtful_ones_are_used() -> None:
    params = PARAMS.finder.model_copy(update={"sure_in_net": 0.4})
    doubtful, line = (slice(100, 103), slice(200, 250), DARK_RED), (slice(20, 22), slice(10, 290), RED)
    short, second = (slice(60, 62), slice(10, 20), RED), (slice(60, 62), slice(10, 50), RED)
    one = find_damage(grey_with(doubtful, line, short), red_finder(), FACELESS, params)  # 290 of 300 pixels
    assert not one.sure[101:102, 204:246].any()
    assert one.doubtful[101:102, 204:246].all()
    net = find_damage(grey_with(doubtful, line, second), red_finder(), FACELESS, params)  # 320 of 300 pixels
    assert net.sure[101:102, 204:246].all()


def test_many_sure_lines_show_together_that_a_photo_is_damaged_though_none_is_certain() -> None:
    params = PARAMS.finder.model_copy(update={"certain": 0.95})
    first, second = ((slice(top, top + 6), slice(10, end), LESS_RED) for top, end in ((20, 290), (60, 80)))
    assert not find_damage(grey_with(first), red_finder(), FACELESS, params).sure.any()  # 280 of 300 pixels
    assert find_damage(grey_with(first, second), red_finder(), FACELESS, params).sure[23, 14:286].all()


def test_one_long_sure_line_shows_that_a_photo_is_damaged() -> None:
    params = PARAMS.finder.model_copy(update={"certain": 0.95, "across": 0.45})
    line = (slice(60, 66), slice(10, 150), LESS_RED)  # 140 of 300 pixels
    shorter = (slice(60, 66), slice(10, 140), LESS_RED)
    assert find_damage(grey_with(line), red_finder(), FACELESS, params).sure[63, 14:146].all()
    assert not find_damage(grey_with(shorter), red_finder(), FACELESS, params).sure.any()


@pytest.mark.parametrize(("kind", "beside_a_net"), [("crack", True), ("tear", True), ("hole", False)])
def test_a_wide_line_is_used_beside_a_net_alone(kind: Kind, beside_a_net: bool) -> None:
    params = PARAMS.finder.model_copy(update={"sure_patch": 0.999, "net": 0.9, "large": 1.0})
    wide, line = (slice(80, 130), slice(100, 200), LESS_RED), (slice(20, 22), slice(10, 290), RED)
    alone, beside = (
        find_damage(grey_with(*parts), red_finder(kind), FACELESS, params) for parts in ([wide], [wide, line])
    )
    assert alone.doubtful[90:120, 120:180].all()
    assert bool(beside.sure[90:120, 120:180].all()) is beside_a_net


@pytest.mark.parametrize(("seen", "used"), [(True, True), (False, False)])
def test_a_doubtful_wide_line_beside_a_net_must_be_seen_by_the_parts(seen: bool, used: bool) -> None:
    params = PARAMS.finder.model_copy(update={"sure": 0.95, "sure_in_net": 0.3, "sure_patch": 0.999, "large": 1.0})
    params = params.model_copy(update={"net": 0.9, "threshold": 0.5})
    wide, line = (slice(80, 130), slice(100, 200)), (slice(20, 22), slice(10, 290))
    probability = np.zeros((200, 300), np.uint8)
    probability[line], probability[wide] = 255, 200
    parts = probability if seen else np.where(probability == 200, np.uint8(0), probability)
    kind = np.full((100, 150), KINDS.index("crack"), np.uint8)
    found = DamageMap(probability, kind, halved(parts), np.zeros((100, 150), np.uint8))
    finder = Searched(red_finder().parts, red_finder().whole, red_finder().confidence, found)
    answer = find_damage(grey_with(), finder, FACELESS, params)
    assert answer.sure[20:22, 20:280].all()
    assert bool(answer.sure[90:120, 120:180].all()) is used
    assert bool(answer.doubtful[90:120, 120:180].all()) is not used


def test_a_rim_along_the_border_shows_not_that_a_photo_is_damaged() -> None:
    rim, line = (slice(0, 200), slice(2, 5), RED), (slice(20, 22), slice(40, 240), RED)
    assert not found_in(grey_with(rim)).sure.any()
    assert found_in(grey_with(rim, line)).sure[50:150, 3].all()


def test_a_slender_loss_and_a_tear_are_lines_and_a_round_loss_is_an_area() -> None:
    five = np.full(5, 0.9)
    boxes = np.array([[0, 0, 150, 2], [0, 0, 20, 15], [0, 0, 150, 2], [0, 0, 20, 15], [0, 0, 4, 3]])
    extent = np.hypot(boxes[:, 2], boxes[:, 3])
    pieces = Pieces(
        shape=(200, 300),
        labels=np.zeros((100, 150), np.int32),
        kind=np.array([KINDS.index(kind) for kind in ("corner", "corner", "stain", "tear", "corner")]),
        confidence=five,
        pixels=np.array([300, 300, 300, 300, 12]),
        patch=np.zeros(5, np.bool_),
        boxes=boxes,
        seen_by_parts=np.ones(5),
        measured=Measured(five, five, five, five, extent, 300, five, np.zeros(5, np.int64), 0.1),
    )
    assert _is_area(pieces).tolist() == [False, True, True, False, False]


def test_a_tiny_piece_shows_not_that_a_photo_is_damaged_however_certain() -> None:
    speck, line = (slice(20, 24), slice(40, 44), RED), (slice(100, 102), slice(200, 250), RED)
    alone = found_in(grey_with(speck))
    assert not alone.sure.any()
    assert alone.pieces[0].confidence > PARAMS.finder.certain
    assert found_in(grey_with(speck, line)).sure[21:23, 41:43].all()


def test_the_shipped_finder_finds_a_white_crack_on_a_photograph_and_nothing_on_the_intact_one() -> None:
    photo = np.ascontiguousarray(astronaut()[:300, 60:420]).copy()
    intact = find_damage(photo, shipped_finder(), tools().detector, SHIPPED)
    assert intact.sure.mean() < 0.003
    heights = 150 + np.cumsum(np.random.default_rng(4).normal(0, 4, 81))
    line = np.stack([np.arange(20, 344, 4), heights], axis=1).round().astype(np.int32)
    drawn = np.zeros(photo.shape[:2], np.uint8)
    cv2.polylines(drawn, [line.reshape(-1, 1, 2)], False, 255, 2, cv2.LINE_AA)
    crack = drawn > 127
    photo = np.where(crack[..., None], np.array([244, 236, 214], np.uint8), photo)
    found = find_damage(photo, shipped_finder(), tools().detector, SHIPPED)
    assert found.sure[crack].mean() > 0.8
    assert (found.sure & ~crack).sum() < 2 * crack.sum()


def test_the_card_goes_with_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = assets.ASSETS / "finder.safetensors"
    assert weights.stat().st_size < 4_000_000
    (tmp_path / "finder.safetensors").write_bytes(weights.read_bytes())
    monkeypatch.setattr("models.assets.ASSETS", tmp_path)
    with pytest.raises(WeightsError, match="finder's card"):
        shipped_finder.__wrapped__()
    (tmp_path / "finder.json").write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="SHA-256"):
        shipped_finder.__wrapped__()
