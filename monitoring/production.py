"""The production path as the log sees it: one request in, one row out. Traffic and reference both pass here."""

from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.identity import IdentityEncoder, similarity
from models.images import Image, to_tensor
from models.landmarks import head_pose
from monitoring.features import photo_features
from monitoring.rows import LogRow
from monitoring.traffic import Request
from pipeline.config import RestoreParams
from pipeline.restoration import FaceRestorer, Restoration, Tools
from pipeline.restore import restore_photo

_REASON_LENGTH = 200

Pose = tuple[float, float, float]


class Likeness(NamedTuple):
    """Cosine of restored against original, by the training encoder and by the independent one."""

    training: float
    independent: float


class Production:
    """Serves requests with one model.

    Args:
        restorer: the model.
        version: its version, for the log.
        params: limits of the router.
        tools: detector, landmarks, and the two encoders (training, independent).
        threshold: independent similarity from which a restored face counts as recognised.
    """

    def __init__(
        self, restorer: FaceRestorer, version: str, params: RestoreParams, tools: Tools, threshold: float
    ) -> None:
        self._restorer, self._version, self._params, self._threshold = restorer, version, params, threshold
        self._tools = Tools(tools.detector, tools.landmarker, encoders=())  # likeness is measured here, in batches
        self._training, self._independent = tools.encoders
        self._originals: dict[str, tuple[Tensor, Tensor]] = {}

    def handle(self, requests: Sequence[Request], times: Sequence[datetime], run: str) -> list[LogRow]:
        """Restore a few requests, one by one as they come, and measure likeness for all of them at once.

        Args:
            requests: with the originals where they are known.
            times: when each came in.
            run: prefix that makes the request ids unique.
        """
        outcomes = [self._restore(request) for request in requests]
        alike = self._likeness(requests, [outcome for outcome, _ in outcomes])
        return [
            self._row(request, time, run, restoration, milliseconds, alike.get(request.number))
            for request, time, (restoration, milliseconds) in zip(requests, times, outcomes, strict=True)
        ]

    def _restore(self, request: Request) -> tuple[Restoration, float]:
        start = perf_counter()
        restoration = restore_photo(
            request.image,
            request.hole,
            self._restorer,
            "auto",
            self._params,
            chroma_mask=request.chroma,
            tools=self._tools,
        )
        return restoration, (perf_counter() - start) * 1000.0

    def _likeness(self, requests: Sequence[Request], outcomes: Sequence[Restoration]) -> dict[int, Likeness]:
        """By request number; only where the original is known and the whole face was restored.

        A picture that was restored in part still shows damage, and nobody claims that the person can be recognised.
        """
        pairs = [
            (request, outcome.image)
            for request, outcome in zip(requests, outcomes, strict=True)
            if request.known and outcome.image is not None and outcome.mode != "partial"
        ]
        if not pairs:
            return {}
        asked = [request for request, _ in pairs]
        self._embed_originals(asked)
        restored = self._embed([image for _, image in pairs], asked)
        originals = zip(*(self._originals[request.portrait_id] for request in asked), strict=True)
        cosines = [similarity(a, torch.stack(b)).tolist() for a, b in zip(restored, originals, strict=True)]
        return {request.number: Likeness(*values) for request, *values in zip(asked, *cosines, strict=True)}

    def _embed_originals(self, requests: Sequence[Request]) -> None:
        new = {request.portrait_id: request for request in requests if request.portrait_id not in self._originals}
        if new:
            found = self._embed([request.original for request in new.values()], list(new.values()))
            self._originals |= dict(zip(new, zip(*found, strict=True), strict=True))

    @torch.inference_mode()
    def _embed(self, images: Sequence[Image], requests: Sequence[Request]) -> tuple[Tensor, Tensor]:
        """Embeddings (N, dim) by either encoder, at the original's points."""
        batch, points = to_tensor(np.stack(images)), torch.from_numpy(np.stack([r.points for r in requests]))
        return _cpu(self._training, batch, points), _cpu(self._independent, batch, points)

    def _pose(self, image: Image | None) -> Pose | None:
        """Yaw, pitch, roll of the face in the restored photo: damage does not move its landmarks."""
        faces = [] if image is None else self._tools.detector.detect(image)
        if image is None or not faces:
            return None
        return head_pose(self._tools.landmarker.predict(image, faces[0]), max(image.shape[:2]))

    def _row(
        self,
        request: Request,
        time: datetime,
        run: str,
        restoration: Restoration,
        milliseconds: float,
        alike: Likeness | None,
    ) -> LogRow:
        yaw, pitch, roll = self._pose(restoration.image) or (None, None, None)
        face = max(restoration.faces, key=lambda face: face.detector_score, default=None)
        seen = photo_features(request.image, request.hole)
        return LogRow(
            request_id=f"{run}-{request.number:06d}",
            time=time,
            model_version=self._version,
            mode=restoration.mode,
            reason=restoration.reason[:_REASON_LENGTH],
            detector_score=None if face is None else face.detector_score,
            face_count=restoration.face_count,
            width=request.image.shape[1],
            height=request.image.shape[0],
            brightness=seen.brightness,
            contrast=seen.contrast,
            sharpness=seen.sharpness,
            yaw=yaw,
            pitch=pitch,
            roll=roll,
            kind=request.kind,
            area=restoration.area,
            coverage=restoration.coverage,
            missing_features=restoration.missing_features,
            similarity_training=None if alike is None else alike.training,
            similarity_independent=None if alike is None else alike.independent,
            recognised=None if alike is None else alike.independent >= self._threshold,
            milliseconds=milliseconds,
        )


def _cpu(encoder: IdentityEncoder, images: Tensor, points: Tensor) -> Tensor:
    return encoder.embed(images, points).float().cpu()
