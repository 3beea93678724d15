"""Simulated requests: who is in them, and what each shift changes."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from models.errors import DataError
from models.face.detector import Face
from models.face.regions import coverage, face_hull
from models.images import Image
from monitoring.simulation.traffic import BrokenDetector, Request, draw_requests, shift_photo, shifted_masks
from pipeline.config.load import Params
from pipeline.config.simulate import Shift
from pipeline.portraits.read import landmarks_of, read_portraits
from pipeline.project.paths import Paths


def requests(
    params: Params, paths: Paths, shift: Shift = "none", seed: int = 1, n: int = 30, *, known: float = 0.5
) -> list[Request]:
    changes = {"shift": shift, "seed": seed, "requests": n, "fresh_people": False, "known_originals": known}
    asked = params.model_copy(update={"simulate": params.simulate.model_copy(update=changes)})
    return list(draw_requests(asked, paths, shifted_masks(params.masks, asked.simulate)))


def test_only_held_out_portraits_each_as_often_as_any_other(params: Params, staffed: Paths) -> None:
    counts = Counter(request.portrait_id for request in requests(params, staffed, n=20))
    rows = read_portraits(staffed)
    assert set(counts) == set(rows.loc[rows["split"] != "train", "portrait_id"])
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_same_seed_gives_the_same_requests(params: Params, staffed: Paths) -> None:
    first, again, other = (requests(params, staffed, seed=seed, n=8) for seed in (4, 4, 5))
    assert all(np.array_equal(a.image, b.image) and a.known == b.known for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.image, b.image) for a, b in zip(first, other, strict=True))
    # a longer run starts with the same requests
    assert [r.portrait_id for r in requests(params, staffed, seed=4, n=4)] == [r.portrait_id for r in first[:4]]


def test_larger_masks(params: Params, staffed: Paths) -> None:
    landmarks = {row["portrait_id"]: landmarks_of(row) for row in read_portraits(staffed).to_dict("records")}
    for request in requests(params, staffed, "larger-masks", n=20):
        missing = coverage(request.hole, face_hull(landmarks[request.portrait_id], 128))
        assert 0.3 <= missing < 0.5


def test_other_kinds(params: Params, staffed: Paths) -> None:
    kinds = {request.kind for request in requests(params, staffed, "other-kinds")}
    assert kinds == set(params.simulate.shifts.other_kinds)
    assert len({request.kind for request in requests(params, staffed)} - kinds) >= 3


def test_darker(params: Params, staffed: Paths) -> None:
    plain, dark = requests(params, staffed), requests(params, staffed, "darker")
    for before, after in zip(plain, dark, strict=True):
        assert np.array_equal(before.hole, after.hole)  # the same damage on a darker photo
        assert np.array_equal(before.original, after.original)  # whom it is compared with stays as bright
        assert after.image[~before.hole].mean() < 0.85 * before.image[~before.hole].mean()


def test_gamma_by_hand() -> None:
    values = np.array([[[0, 64, 128], [200, 255, 1]]], np.uint8)
    darker = shift_photo(values, "darker", 2.0)
    assert darker.tolist() == [[[0, 16, 64], [157, 255, 0]]]  # v * v / 255, rounded
    assert shift_photo(values, "none", 2.0) is values
    assert all(a <= b for a, b in pairwise(shift_photo(np.arange(256, dtype=np.uint8), "darker", 2.2).tolist()))


@pytest.mark.parametrize(("share", "known"), [(0.0, 0), (1.0, 12)])
def test_share_of_known_originals(params: Params, staffed: Paths, share: float, known: int) -> None:
    assert sum(r.known for r in requests(params, staffed, n=12, known=share)) == known


def test_no_held_out_portrait(params: Params, staffed: Paths) -> None:
    read_portraits(staffed).assign(split="train").to_parquet(staffed.portrait_rows)
    with pytest.raises(DataError, match="splits validation and test; got none; ingest more portraits"):
        requests(params, staffed)


PICTURE = np.zeros((8, 8, 3), np.uint8)


class Two:
    """Always finds the same two faces."""

    def detect(self, image: Image) -> list[Face]:
        """Two faces, whatever the picture."""
        del image
        points = np.zeros((5, 2), np.float32)
        return [Face((0, 0, 4, 4), points, 0.9), Face((4, 4, 4, 4), points, 0.6)]


def broken(misses: float, score_factor: float = 1.0, seed: int = 0) -> BrokenDetector:
    return BrokenDetector(Two(), misses=misses, score_factor=score_factor, rng=np.random.default_rng(seed))


def test_scores_sink_and_places_stay() -> None:
    faces = broken(0.0, 0.5).detect(PICTURE)
    assert [face.score for face in faces] == pytest.approx([0.45, 0.3])
    assert [face.box[0] for face in faces] == [0, 4]


def test_a_share_is_missed() -> None:
    assert broken(1.0).detect(PICTURE) == []
    detector = broken(0.3)
    seen = sum(len(detector.detect(PICTURE)) for _ in range(1000))
    assert 1330 < seen < 1470  # 1,400 expected, standard deviation 20


def test_the_same_seed_misses_the_same() -> None:
    first, again = ([len(one.detect(PICTURE)) for _ in range(20)] for one in (broken(0.5, seed=4), broken(0.5, seed=4)))
    assert first == again
