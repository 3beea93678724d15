"""Run simulated requests through the production path: one request in, one log row out, for traffic and baseline."""

from collections.abc import Sequence
from datetime import datetime
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.identity.encoders import IdentityEncoder, similarity
from models.images import Image, to_tensor
from models.metrics.lpips import perceptual_distance
from monitoring.log.metering import Meter, meter_tools
from monitoring.log.observe import RequestFacts, build_log_row
from monitoring.log.rows import Arm, LogRow
from monitoring.simulation.traffic import Request
from pipeline.config.restore import RestoreParams
from restoration.modes import UNFILLED
from restoration.restore import restore_photo
from restoration.types import FaceRestorer, Restoration, Tools


class Likeness(NamedTuple):
    """Restored against original: cosines by the training encoder and by the independent one, and LPIPS (AlexNet)."""

    training: float
    independent: float
    lpips: float


class Served(NamedTuple):
    """A restoration and what it cost. What only a simulation can measure, against the original, is not in it."""

    restoration: Restoration
    milliseconds: float
    cpu_seconds: float
    verification_cpu_seconds: float


class Production:
    """Serves requests with one model.

    Args:
        restorer: the model.
        version: its version, for the log.
        params: limits of the router.
        tools: detector, landmarks, and the two encoders (training, independent).
        threshold: independent similarity from which a restored face counts as recognised.
        arm: of the A/B test that is on.
    """

    def __init__(
        self,
        restorer: FaceRestorer,
        version: str,
        params: RestoreParams,
        tools: Tools,
        threshold: float,
        arm: Arm = "champion",
    ) -> None:
        self._restorer, self._version, self._params, self._threshold = restorer, version, params, threshold
        self._arm = arm
        self._meter = Meter(process_time)  # one request at a time: all CPU time of the process is its own
        self._tools = meter_tools(tools, self._meter)
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
        alike = self._likeness(requests, [outcome.restoration for outcome in outcomes])
        return [
            self._row(request, time, run, outcome, alike.get(request.number))
            for request, time, outcome in zip(requests, times, outcomes, strict=True)
        ]

    def _restore(self, request: Request) -> Served:
        start, begun = perf_counter(), process_time()
        self._meter.take()
        restoration = restore_photo(
            request.image,
            request.hole,
            self._restorer,
            "auto",
            self._params,
            chroma_mask=request.chroma,
            tools=self._tools,
        )
        milliseconds = (perf_counter() - start) * 1000.0
        return Served(restoration, milliseconds, process_time() - begun, self._meter.take())

    def _likeness(self, requests: Sequence[Request], outcomes: Sequence[Restoration]) -> dict[int, Likeness]:
        """Compare with the originals, by request number, where the whole face was restored.

        A picture that was restored in part still shows damage, so no claim of recognition is made.
        """
        pairs = [
            (request, outcome.image)
            for request, outcome in zip(requests, outcomes, strict=True)
            if request.known and outcome.image is not None and outcome.mode not in ("partial", *UNFILLED)
        ]
        if not pairs:
            return {}
        requests = [request for request, _ in pairs]
        self._embed_originals(requests)
        restored = self._embed([image for _, image in pairs], requests)
        originals = zip(*(self._originals[request.portrait_id] for request in requests), strict=True)
        cosines = [similarity(a, torch.stack(b)).tolist() for a, b in zip(restored, originals, strict=True)]
        distances = _lpips([image for _, image in pairs], [request.original for request in requests])
        return {
            request.number: Likeness(*values) for request, *values in zip(requests, *cosines, distances, strict=True)
        }

    def _embed_originals(self, requests: Sequence[Request]) -> None:
        new = {request.portrait_id: request for request in requests if request.portrait_id not in self._originals}
        if new:
            embeddings = self._embed([request.original for request in new.values()], list(new.values()))
            self._originals |= dict(zip(new, zip(*embeddings, strict=True), strict=True))

    @torch.inference_mode()
    def _embed(self, images: Sequence[Image], requests: Sequence[Request]) -> tuple[Tensor, Tensor]:
        """Embed (N, dim) with both encoders, at the original's points."""
        batch, points = to_tensor(np.stack(images)), torch.from_numpy(np.stack([r.points for r in requests]))
        return _cpu(self._training, batch, points), _cpu(self._independent, batch, points)

    def _row(self, request: Request, time: datetime, run: str, served: Served, alike: Likeness | None) -> LogRow:
        facts = RequestFacts(
            request_id=f"{run}-{request.number:06d}",
            time=time,
            model_version=self._version,
            arm=self._arm,
            subject="",
            milliseconds=served.milliseconds,
            queue_milliseconds=0.0,
            cpu_seconds=served.cpu_seconds,
            verification_cpu_seconds=served.verification_cpu_seconds,
            kind=request.kind,
            threshold=self._threshold,
            similarity_training=None if alike is None else alike.training,
            similarity_independent=None if alike is None else alike.independent,
            recognised=None if alike is None else alike.independent >= self._threshold,
            lpips=None if alike is None else alike.lpips,
        )
        return build_log_row(served.restoration, request.image, request.hole, facts, self._tools, chroma=request.chroma)


def _cpu(encoder: IdentityEncoder, images: Tensor, points: Tensor) -> Tensor:
    return encoder.embed(images, points).float().cpu()


@torch.inference_mode()
def _lpips(restored: Sequence[Image], originals: Sequence[Image]) -> list[float]:
    distances = perceptual_distance("alex")(to_tensor(np.stack(restored)), to_tensor(np.stack(originals)))
    return [float(distance) for distance in distances.flatten()]
