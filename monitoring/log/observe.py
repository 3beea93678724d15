"""Turn a restoration into a log row, in one place: figures only, no pixel and no embedding."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.face.detector import Face
from models.face.landmarks import head_pose
from models.images import Image, Mask
from monitoring.log.features import measure_photo
from monitoring.log.rows import Arm, LogRow
from restoration.risk import uncertainty
from restoration.types import LikenessFigures, Restoration, RestoredFace, Tools

_REASON_LENGTH = 200
_NOWHERE = (None, None)

Pair = tuple[float | None, float | None]
"""Two figures that exist together or not at all."""


@dataclass(frozen=True)
class RequestFacts:
    """What the caller knows of a request and the restoration does not contain.

    `cpu_seconds`: of the whole request; `verification_cpu_seconds`: of its identity figures, part of the former.
    `kind`: of the damage, "" in production. `threshold`: independent similarity from which a face counts as
    recognised, without which a reference photo decides nothing. `strength`: share of what the face model filled. The
    rest compares with the original, where it is known: cosines, whether it is the same person, LPIPS.
    """

    request_id: str
    time: datetime
    model_version: str
    arm: Arm
    subject: str
    milliseconds: float
    queue_milliseconds: float
    cpu_seconds: float
    verification_cpu_seconds: float
    kind: str = ""
    threshold: float | None = None
    strength: float = 1.0
    similarity_training: float | None = None
    similarity_independent: float | None = None
    recognised: bool | None = None
    lpips: float | None = None


class Pose(NamedTuple):
    """Angles of a head in degrees, None where no face was found."""

    yaw: float | None = None
    pitch: float | None = None
    roll: float | None = None


def build_log_row(
    restoration: Restoration,
    image: Image,
    hole: Mask,
    facts: RequestFacts,
    tools: Tools,
    *,
    chroma: Mask | None = None,
) -> LogRow:
    """Build the log row of one request.

    With several faces the row holds what is worst: the highest risk and uncertainty, the similarities of the face that
    the independent encoder finds least alike. Place and size are those of the face with the highest detector score.

    Args:
        restoration: what became of the photo.
        image: the photo as it came, (H, W, 3).
        hole: its missing pixels, (H, W).
        facts: see `RequestFacts`.
        tools: detector and landmarks for the pose, and the encoders, training first, whose names figures go by.
        chroma: pixels whose colour is missing, where that is more than the hole.
    """
    faces = restoration.faces
    surest = max(faces, key=lambda face: face.detector_score, default=None)
    features = measure_photo(image, hole)
    pose = _pose(restoration, tools)
    place = _place(hole if chroma is None else hole | chroma, surest)
    plain = _least_alike(faces, tools, lambda figures: figures.to_plain)
    referred = [face for face in faces if face.reference is not None]
    reference = _least_alike(referred, tools, lambda figures: figures.to_reference)
    return LogRow(
        request_id=facts.request_id,
        time=facts.time,
        model_version=facts.model_version,
        mode=restoration.mode,
        reason=restoration.reason[:_REASON_LENGTH],
        detector_score=None if surest is None else surest.detector_score,
        face_count=restoration.face_count,
        width=image.shape[1],
        height=image.shape[0],
        brightness=features.brightness,
        contrast=features.contrast,
        sharpness=features.sharpness,
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        kind=facts.kind,
        area=restoration.area,
        coverage=restoration.coverage,
        missing_features=restoration.missing_features,
        similarity_training=facts.similarity_training,
        similarity_independent=facts.similarity_independent,
        recognised=_recognised(facts, referred, reference[1]),
        milliseconds=facts.milliseconds,
        subject=facts.subject,
        arm=facts.arm,
        face_size=None if surest is None else surest.box[3],
        mask_x=place[0],
        mask_y=place[1],
        identity_risk=_largest(face.identity_risk for face in faces),
        uncertainty=_largest(uncertainty(face.trust) for face in faces),
        similarity_plain_training=plain[0],
        similarity_plain_independent=plain[1],
        similarity_reference_training=reference[0],
        similarity_reference_independent=reference[1],
        lpips=facts.lpips,
        cpu_seconds=facts.cpu_seconds,
        verification_cpu_seconds=facts.verification_cpu_seconds,
        queue_milliseconds=facts.queue_milliseconds,
        veil=restoration.veil,
        strength=facts.strength,
        generated=restoration.generated,
    )


def _pose(restoration: Restoration, tools: Tools) -> Pose:
    """Measure the pose of the most certain restored face, in the restored photo: damage does not move its landmarks.

    Where it lies is known since it was found, and it is not searched for again. Its landmarks are: those of the
    completed face, from before it was restored, are cheaper but further off. Where the damage touches no face, one is
    searched for.
    """
    image = restoration.image
    if image is None:
        return Pose()
    known = [face for face in restoration.faces if face.mode != "refuse"]
    surest = max(known, key=lambda face: face.detector_score, default=None)
    face = next(iter(tools.detector.detect(image)), None) if surest is None else _detected_face(surest)
    return Pose() if face is None else Pose(*head_pose(tools.landmarker.predict(image, face), max(image.shape[:2])))


def _detected_face(face: RestoredFace) -> Face:
    return Face(face.box, np.array(face.points, np.float32), face.detector_score)


def _place(missing: Mask, face: RestoredFace | None) -> Pair:
    if face is None or not missing.any():
        return _NOWHERE
    x, y, width, height = face.box
    return (_mean_index(missing.sum(0)) - x) / width, (_mean_index(missing.sum(1)) - y) / height


def _mean_index(counts: npt.NDArray[np.int64]) -> float:
    return float(counts @ np.arange(len(counts)) / counts.sum())


def _least_alike(
    faces: Sequence[RestoredFace], tools: Tools, figures: Callable[[LikenessFigures], dict[str, float] | None]
) -> Pair:
    """Choose the similarities (training, independent) of the face with the lowest independent similarity."""
    if len(tools.encoders) != 2:
        return _NOWHERE
    training, independent = (encoder.name for encoder in tools.encoders)
    similarities = [
        by_encoder for face in faces if face.likeness is not None and (by_encoder := figures(face.likeness))
    ]
    worst = min(similarities, key=lambda by_encoder: by_encoder[independent], default=None)
    return _NOWHERE if worst is None else (worst[training], worst[independent])


def _recognised(facts: RequestFacts, referred: Sequence[RestoredFace], similarity: float | None) -> bool | None:
    """Decide by the original, else by the reference; a face restored in part counts as unknown."""
    if facts.recognised is not None:
        return facts.recognised
    if similarity is None or facts.threshold is None or any(face.mode == "partial" for face in referred):
        return None
    return similarity >= facts.threshold


def _largest(figures: Iterable[float | None]) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)
