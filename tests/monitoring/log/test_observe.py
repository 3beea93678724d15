"""A restoration becomes a row whose figures are worked out here by hand, or come from real parts."""

from dataclasses import replace
from datetime import UTC, datetime
from time import process_time, sleep
from typing import Any

import numpy as np
import pytest
import torch

from models.face.detector import Face
from models.face.landmarks import head_pose
from models.identity.encoders import independent_encoder, training_encoder
from models.images import Image, Mask
from monitoring.log.metering import Meter, meter_tools
from monitoring.log.observe import RequestFacts, build_log_row
from monitoring.log.rows import LogRow
from restoration.restore import restore_photo
from restoration.risk import Trust, uncertainty
from restoration.types import LikenessFigures, Restoration, RestoredFace, Tools
from tests.restoration.site import PARAMS, Painter, astronaut, box_over, damage, tools

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LOWER_FACE = (0.2, 0.55, 0.8, 1.0)
FACTS = RequestFacts(
    request_id="r-1",
    time=datetime(2026, 3, 2, tzinfo=UTC),
    model_version="3",
    arm="challenger",
    subject="somebody",
    milliseconds=40.0,
    queue_milliseconds=2.0,
    cpu_seconds=0.5,
    verification_cpu_seconds=0.2,
    threshold=0.6,
)
BLACK: Image = np.zeros((100, 200, 3), np.uint8)
KNOWN, HALF = Trust(1, 0, 0, 0, pixels=100), Trust(known=0.5, evidence=0.3, witness=0.0, prior=0.2, pixels=300)


class Named:
    """An encoder that only lends its name."""

    dim = 1

    def __init__(self, name: str) -> None:
        self.name = name

    def embed(self, images: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        raise AssertionError("nothing is embedded to make a row")


class NoDetector:
    """Is asked for nothing."""

    def detect(self, image: Image) -> list[Face]:
        raise AssertionError("the face is known")


def watchers() -> Tools:
    """Real detector and landmarks, and the encoders' names."""
    return replace(tools(), encoders=(Named("sface"), Named("dlib")))


def face(**changes: Any) -> RestoredFace:
    values: dict[str, Any] = {
        "box": (20.0, 10.0, 40.0, 50.0),
        "points": ((32.0, 30.0), (48.0, 30.0), (40.0, 40.0), (34.0, 50.0), (46.0, 50.0)),
        "detector_score": 0.8,
        "seen_in": "photo",
        "scale": 1.0,
        "mode": "inpaint",
        "reason": "",
        "area": 0.1,
        "chroma_area": 0.1,
        "coverage": 0.2,
        "missing_features": 0.1,
        "identity_risk": 0.1,
        "untouched": 0.0,
        "untouched_features": (),
        "trust": {"mouth": KNOWN},
        "reference": None,
        "likeness": None,
    }
    return RestoredFace(**(values | changes))


def alike(training: float, independent: float) -> dict[str, float]:
    return {"sface": training, "dlib": independent}


def seen(*faces: RestoredFace, hole: Mask | None = None, facts: RequestFacts = FACTS, **more: Any) -> LogRow:
    restoration = Restoration(
        image=BLACK,
        mode="inpaint",
        reason="x" * 300,
        area=0.1,
        chroma_area=0.1,
        coverage=0.2,
        missing_features=0.1,
        thin=0.0,
        background=0.0,
        untouched=0.0,
        face_count=len(faces),
        faces=faces,
    )
    return build_log_row(
        restoration, BLACK, np.zeros((100, 200), np.bool_) if hole is None else hole, facts, watchers(), **more
    )


def rectangle(top: int, bottom: int, left: int, right: int) -> Mask:
    mask = np.zeros((100, 200), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_place_and_size_are_those_of_the_surest_face() -> None:
    row = seen(face(detector_score=0.7, box=(0.0, 0.0, 1.0, 1.0)), face(), hole=rectangle(10, 21, 40, 61))
    assert (row.face_size, row.detector_score) == (50.0, 0.8)
    assert (row.mask_x, row.mask_y) == pytest.approx(((50 - 20) / 40, (15 - 10) / 50))
    assert (row.width, row.height, row.face_count) == (200, 100, 2)


def test_missing_colour_has_a_place_too() -> None:
    row = seen(face(), hole=rectangle(10, 20, 0, 10), chroma=rectangle(10, 20, 10, 20))
    assert (row.mask_x, row.mask_y) == pytest.approx(((9.5 - 20) / 40, (14.5 - 10) / 50))  # left of the box
    assert seen(face()).mask_x is None  # nothing is missing


def test_without_a_face_there_are_no_figures_of_one() -> None:
    row = seen(hole=rectangle(0, 5, 0, 5))
    of_faces = row.model_dump(include={"face_size", "mask_x", "mask_y", "identity_risk", "uncertainty", "yaw"})
    assert set(of_faces.values()) == {None}
    assert (row.subject, row.arm, row.kind, row.lpips) == ("somebody", "challenger", "", None)
    assert (row.cpu_seconds, row.verification_cpu_seconds, row.queue_milliseconds) == (0.5, 0.2, 2.0)
    assert row.reason == "x" * 200


def test_uncertainty_by_hand() -> None:
    """Mouth: 150 of 300 pixels missing, 60 rest on the prior. Nose: all of 50 missing, all prior. Skin has no say."""
    nose, skin = Trust(0, 0, 0, 1, pixels=50), Trust(0, 0, 0, 1, pixels=5000)
    assert uncertainty({"mouth": HALF}) == pytest.approx(60 / 150)
    assert uncertainty({"mouth": HALF, "nose": nose, "left_eye": KNOWN, "skin": skin}) == pytest.approx(110 / 200)
    assert uncertainty({"mouth": KNOWN, "skin": skin}) is None
    row = seen(face(trust={"mouth": HALF}, identity_risk=0.3), face(trust={"nose": nose}), face())
    assert (row.uncertainty, row.identity_risk) == (1.0, 0.3)


def test_the_least_alike_face_speaks() -> None:
    one = LikenessFigures(to_reference=None, to_plain=alike(0.5, 0.9))
    other = LikenessFigures(to_reference=None, to_plain=alike(0.7, 0.8))
    row = seen(face(likeness=one), face(likeness=other), face(mode="refuse"))
    assert (row.similarity_plain_training, row.similarity_plain_independent) == (0.7, 0.8)
    assert (row.similarity_reference_training, row.similarity_reference_independent) == (None, None)
    assert row.recognised is None


@pytest.mark.parametrize(
    ("changes", "threshold", "recognised"),
    [
        ({"reference": 1}, 0.6, True),  # 0.6 is at least 0.6
        ({"reference": 1}, 0.61, False),
        ({"reference": None}, 0.6, None),  # shown, but not believed
        ({"reference": 1, "mode": "partial"}, 0.6, None),  # still damaged
        ({"reference": 1}, None, None),
    ],
)
def test_a_believed_reference_tells_who_it_is(changes: Any, threshold: float | None, recognised: bool | None) -> None:
    figures = LikenessFigures(to_reference=alike(0.4, 0.6), to_plain=alike(0.9, 0.9))
    row = seen(face(likeness=figures, **changes), facts=replace(FACTS, threshold=threshold))
    assert row.recognised is recognised
    assert row.similarity_reference_independent == (None if changes["reference"] is None else 0.6)


def test_the_original_has_the_last_word() -> None:
    figures = LikenessFigures(to_reference=alike(0.9, 0.9), to_plain=alike(0.9, 0.9))
    facts = replace(FACTS, similarity_training=0.2, similarity_independent=0.3, recognised=False, lpips=0.1)
    row = seen(face(likeness=figures, reference=1), facts=facts)
    assert (row.recognised, row.similarity_independent, row.lpips) == (False, 0.3, 0.1)


@pytest.mark.slow
def test_a_real_photo_with_a_reference() -> None:
    photo = astronaut()
    hole = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    meter = Meter(process_time)
    seeing = meter_tools(replace(tools(), encoders=(training_encoder("sface"), independent_encoder("dlib"))), meter)
    restoration = restore_photo(damage(photo, hole), hole, Painter(), "auto", PARAMS, [photo], tools=seeing)
    spent = meter.take()
    row = build_log_row(restoration, damage(photo, hole), hole, replace(FACTS, threshold=0.5), seeing)
    (restored,) = restoration.faces
    assert restored.reference == 1
    assert restored.likeness is not None
    assert restored.likeness.to_reference is not None
    assert restored.likeness.to_plain is not None
    assert row.similarity_reference_training == restored.likeness.to_reference["sface"]
    assert row.similarity_plain_independent == restored.likeness.to_plain["dlib"]
    assert row.similarity_reference_independent is not None
    assert row.recognised == (row.similarity_reference_independent >= 0.5)
    assert row.mask_x is not None
    assert row.mask_y is not None
    assert 0.2 < row.mask_x < 0.8
    assert 0.5 < row.mask_y < 1.1
    # the fill has no mouth: the pitch is a guess
    intact = tools().landmarker.predict(photo, tools().detector.detect(photo)[0])
    assert (row.yaw, row.pitch, row.roll) == pytest.approx(head_pose(intact, max(photo.shape[:2])), abs=5)
    blind = replace(seeing, detector=NoDetector())  # where a face is known, none is searched for
    assert build_log_row(restoration, damage(photo, hole), hole, replace(FACTS, threshold=0.5), blind) == row
    assert row.uncertainty is not None
    assert 0 < row.uncertainty < 1
    assert spent > 0
    assert meter.take() == 0


def test_a_meter_counts_its_own_thread() -> None:
    from concurrent.futures import ThreadPoolExecutor

    ticks = iter(range(100))
    meter = Meter(lambda: float(next(ticks)))

    def other() -> float:
        meter.add(5.0)
        sleep(0.01)
        return meter.take()

    meter.add(2.0)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(other).result() == 5.0
    assert (meter.take(), meter.take()) == (2.0, 0.0)
