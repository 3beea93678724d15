import numpy as np

from pipeline.config.restore import ReferenceUse
from restoration.references import Candidate, KnownFace, assign, known_faces
from tests.restoration.site import astronaut, tools

RULES = ReferenceUse(min_similarity=0.4, max_missing_features=0.6, min_lead=0.1, witness=0.5)


def known(number: int, yaw: float = 0.0) -> KnownFace:
    return KnownFace(number, np.zeros((8, 8, 3), np.uint8), np.zeros((5, 2), np.float32), (yaw, 0.0, 0.0))


def face(yaw: float = 0.0, missing: float = 0.2) -> Candidate:
    return Candidate((yaw, 0.0, 0.0), missing)


def cosines(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_a_photo_serves_the_face_it_is_most_alike() -> None:
    chosen, notes = assign([face(), face()], [[known(1)], [known(2)]], cosines([0.1, 0.8], [0.7, 0.5]), RULES)
    assert [photo.number if photo else None for photo in chosen] == [2, 1]
    assert [(note.photo, note.face) for note in notes] == [(1, 2), (2, 1)]
    assert "similarity 0.70 with the visible part of face 2" in notes[0].reason


def test_somebody_else_is_not_used_and_the_figures_say_why() -> None:
    chosen, (note,) = assign([face()], [[known(1)]], cosines([0.31]), RULES)
    assert chosen == [None]
    assert note.face is None
    assert "not used, it is somebody else: similarity 0.31" in note.reason
    assert "restore.reference.min_similarity 0.40" in note.reason


def test_where_little_is_visible_the_user_is_believed_unless_there_is_a_choice() -> None:
    (photo,), (note,) = assign([face(missing=0.61)], [[known(1)]], cosines([0.1]), RULES)
    assert photo is not None
    assert "used on trust: 61% of the features are missing" in note.reason
    chosen, _ = assign([face(missing=0.61), face(missing=0.9)], [[known(1)]], cosines([0.1], [0.2]), RULES)
    assert chosen == [None, None]


def test_of_several_photos_the_one_nearest_in_pose_serves() -> None:
    photos = [[known(1, yaw=-20)], [known(2, yaw=12)], [known(3, yaw=30)]]
    (photo,), notes = assign([face(yaw=15)], photos, cosines([0.9, 0.5, 0.9]), RULES)
    assert photo is photos[1][0]
    assert [note.face for note in notes] == [None, 1, None]
    assert "another photo of face 1 shows the head turned more like it" in notes[0].reason


def test_no_face_in_the_photo_and_no_face_to_mend_are_reasons() -> None:
    chosen, notes = assign([face()], [[], [known(2)]], cosines([0.9]), RULES)
    assert chosen[0] is not None
    assert chosen[0].number == 2
    assert (notes[0].face, notes[0].similarity, notes[0].reason) == (None, None, "no face was found in it")
    assert assign([], [[known(1)]], np.zeros((0, 1), np.float32), RULES)[1][0].reason == "no damaged face needs it"


def test_of_the_faces_in_one_photo_the_alike_one_serves_wherever_it_stands() -> None:
    group = [known(1), known(1), known(1)]
    for place in range(3):
        row = [0.1, 0.2, 0.15]
        row[place] = 0.8
        (chosen,), (note,) = assign([face()], [group], cosines(row), RULES)
        assert chosen is group[place]
        assert "similarity 0.80 with the visible part of face 1, of the 3 faces in it the one most alike" in note.reason


def test_a_sister_in_the_photo_does_not_win_by_her_pose() -> None:
    group = [known(1, yaw=30), known(1, yaw=0)]
    (chosen,), _ = assign([face(yaw=0)], [group], cosines([0.8, 0.5]), RULES)
    assert chosen is group[0]


def test_one_photo_may_serve_two_damaged_faces() -> None:
    group = [known(1), known(1)]
    chosen, (note,) = assign([face(), face()], [group], cosines([0.1, 0.9], [0.7, 0.2]), RULES)
    assert chosen == [group[1], group[0]]
    assert note.face == 1
    assert note.reason.endswith("another face in it serves face 2")


def test_of_strangers_none_is_used() -> None:
    chosen, (note,) = assign([face()], [[known(1), known(1)]], cosines([0.2, 0.3]), RULES)
    assert chosen == [None]
    assert "not used, it is somebody else: similarity 0.30" in note.reason


def test_where_little_is_visible_the_most_alike_of_several_must_lead() -> None:
    group = [known(1), known(1)]
    (chosen,), (note,) = assign([face(missing=0.9)], [group], cosines([0.05, 0.2]), RULES)
    assert chosen is group[1]
    assert "used on trust" in note.reason
    (chosen,), (note,) = assign([face(missing=0.9)], [group], cosines([0.15, 0.2]), RULES)
    assert chosen is None
    assert "cut out the right one" in note.reason


def test_every_face_of_a_photo_is_aligned_and_its_pose_read() -> None:
    pair = np.concatenate([astronaut(), astronaut()[:, ::-1]], axis=1)
    nobody, found, both = known_faces([np.full((90, 90, 3), 80, np.uint8), astronaut(), pair], tools(), 128)
    assert nobody == []
    assert [one.number for one in found] == [2]
    assert found[0].image.shape == (128, 128, 3)
    assert np.allclose(found[0].points.mean(axis=0), 64, atol=14)
    assert abs(found[0].pose[2]) < 10  # aligned upright
    assert [one.number for one in both] == [3, 3]
