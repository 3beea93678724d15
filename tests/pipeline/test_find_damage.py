import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import WeightsError
from models.images import Image
from pipeline import layout
from pipeline.find_damage import propose_mask, shipped_finder, windows
from tests.models.finder_site import red_finder
from tests.pipeline.restore_site import FACELESS, PARAMS, astronaut, faces_of_group, group, tools


def grey_with_red(side: int) -> Image:
    """100 x 100 pixels with a red square."""
    picture = np.full((100, 100, 3), 90, np.uint8)
    picture[20 : 20 + side, 30 : 30 + side] = (255, 0, 0)
    return picture


def test_a_certain_mask_is_proposed_without_doubt() -> None:
    proposal = propose_mask(grey_with_red(20), red_finder(), FACELESS, PARAMS)
    assert proposal.doubt == ""
    assert proposal.mask.sum() == (20 + 2 * PARAMS.finder_margin) ** 2
    assert proposal.confidence == pytest.approx(0.975, abs=0.01)


@pytest.mark.parametrize(("side", "told"), [(0, "no piece that is certain"), (1, "0.01% of the photo, less than")])
def test_nothing_and_next_to_nothing_are_no_damage(side: int, told: str) -> None:
    params = PARAMS.model_copy(update={"finder_margin": 0})
    proposal = propose_mask(grey_with_red(side), red_finder(), FACELESS, params)
    assert proposal.confidence is None
    assert not proposal.mask.any()
    assert "no damage was found" in proposal.doubt
    assert told in proposal.doubt


def test_below_the_least_confidence_the_mask_comes_with_the_doubt_and_its_figures() -> None:
    params = PARAMS.model_copy(update={"finder_certain": 0.7, "finder_min_confidence": 0.8})
    proposal = propose_mask(grey_with_red(20), red_finder(scale=1.0), FACELESS, params)
    assert proposal.confidence == pytest.approx(0.73, abs=0.01)
    assert proposal.mask.any()
    assert "confidence of 0.73" in proposal.doubt
    assert "0.80" in proposal.doubt
    assert "--save-mask" in proposal.doubt


def test_a_scene_is_searched_around_its_faces_and_a_portrait_whole() -> None:
    places = windows(faces_of_group(), group(), 1.8)
    assert len(places) == 6
    for face, (rows, columns) in zip(faces_of_group(), places, strict=True):
        x, y, width, height = face.box
        assert rows.start < y < y + height < rows.stop
        assert columns.start < x < x + width < columns.stop
        assert max(rows.stop - rows.start, columns.stop - columns.start) <= 1.8 * height + 2
    portrait = group()[places[2]]
    whole = [(slice(0, portrait.shape[0]), slice(0, portrait.shape[1]))]
    assert windows(tools().detector.detect(portrait), portrait, 1.8) == whole
    assert windows([], portrait, 1.8) == whole


def test_what_lies_far_from_faces_is_not_searched() -> None:
    scene = group().copy()
    place = windows(faces_of_group(), scene, 1.8)[3]
    rows, columns = place[0].start + 20, place[1].start + 20
    for top, left in ((rows, columns), (800, 600)):
        scene[top : top + 60, left : left + 60] = (255, 0, 0)
    mask = propose_mask(scene, red_finder(), tools().detector, PARAMS).mask
    assert mask[rows : rows + 60, columns : columns + 60].all()
    assert not mask[800:860, 600:660].any()


def test_the_shipped_finder_finds_paper_on_a_photograph() -> None:
    photo = astronaut().copy()
    hole = np.zeros(photo.shape[:2], np.bool_)
    hole[90:150, 190:270] = True
    rng = np.random.default_rng(0)
    photo[hole] = np.clip(np.array([240, 232, 205]) + rng.normal(0, 3, (int(hole.sum()), 3)), 0, 255)
    proposal = propose_mask(photo, shipped_finder(), tools().detector, PARAMS)
    assert (proposal.mask & hole).sum() > 0.9 * hole.sum()
    assert proposal.confidence is not None


def test_the_card_goes_with_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = layout.ASSETS / "finder.safetensors"
    assert weights.stat().st_size < 1_000_000
    (tmp_path / "finder.safetensors").write_bytes(weights.read_bytes())
    monkeypatch.setattr(layout, "ASSETS", tmp_path)
    with pytest.raises(WeightsError, match="finder's card"):
        shipped_finder.__wrapped__()
    (tmp_path / "finder.json").write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="SHA-256"):
        shipped_finder.__wrapped__()
