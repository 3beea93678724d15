"""Pictures for the demo's page: traffic before and after the drift, and the same people restored by two versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from models.images import Image, to_tensor
from models.load import load_restorer
from monitoring.simulation.traffic import Request, draw_requests, shifted_masks
from pipeline.config.load import Params
from pipeline.config.simulate import Shift
from pipeline.project.paths import Paths
from pipeline.registry.weights import resolve_weights
from restoration.restore import restore_photo
from restoration.types import Restoration, Tools, load_tools

_TURN = 1000
"""Seeds of the pictures lie so far beyond those of the traffic: nobody in them was served, or decided anything."""


@dataclass(frozen=True)
class Attempt:
    """What one version made of a portrait.

    `image` (S, S, 3) uint8 is None where it gave none; `similarity` to the original, cosine by the independent
    encoder, is None where the face was not restored as a whole.
    """

    image: Image | None
    mode: str
    similarity: float | None


@dataclass(frozen=True)
class Person:
    """One person: the intact and the damaged portrait (S, S, 3) uint8, and what each version made of it."""

    original: Image
    damaged: Image
    before: Attempt
    after: Attempt


def draw_examples(params: Params, paths: Paths, shift: Shift, count: int) -> list[Request]:
    """Draw the first requests of a turn that the traffic never reaches."""
    traffic = params.simulate.model_copy(
        update={"shift": shift, "requests": count, "seed": params.simulate.seed + _TURN}
    )
    mix = shifted_masks(params.masks, traffic)
    return list(islice(draw_requests(params.model_copy(update={"simulate": traffic}), paths, mix), count))


def restore_by_both(params: Params, paths: Paths, requests: Sequence[Request], before: str, after: str) -> list[Person]:
    """Restore the same requests by two versions of the registry.

    Raises:
        WeightsError: a version's weights are missing or changed.
        ServiceUnavailable: MLflow does not answer.
    """
    tools = load_tools(params.restore.min_detector_score, params.identity)
    attempts = [_restore(params, paths, requests, version, tools) for version in (before, after)]
    return [Person(request.original, request.image, *pair) for request, *pair in zip(requests, *attempts, strict=True)]


def _restore(params: Params, paths: Paths, requests: Sequence[Request], version: str, tools: Tools) -> list[Attempt]:
    weights, _ = resolve_weights(paths, params.registry.model_name, params.identity.edition, version)
    restorer = load_restorer(weights)
    outcomes = [
        restore_photo(
            request.image, request.hole, restorer, "auto", params.restore, chroma_mask=request.chroma, tools=tools
        )
        for request in requests
    ]
    return [_attempt(request, outcome, tools) for request, outcome in zip(requests, outcomes, strict=True)]


def _attempt(request: Request, outcome: Restoration, tools: Tools) -> Attempt:
    whole = outcome.image is not None and outcome.mode in ("inpaint", "colorize")
    return Attempt(outcome.image, outcome.mode, _similarity(request, outcome.image, tools) if whole else None)


@torch.inference_mode()
def _similarity(request: Request, restored: Image | None, tools: Tools) -> float:
    """Compute the cosine between the restored and the intact face by the independent encoder."""
    assert restored is not None
    _, independent = tools.encoders
    pair = to_tensor(np.stack([restored, request.original]))
    points = torch.from_numpy(np.stack([request.points, request.points]))
    first, second = independent.embed(pair, points).float()
    return float(torch.nn.functional.cosine_similarity(first, second, dim=0))
