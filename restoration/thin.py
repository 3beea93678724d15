"""Which damage is thin: filled from both sides of it, without the face model."""

from collections.abc import Sequence

import numpy as np

from models.face.regions import feature_regions
from models.images import Mask
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.restore import RiskWeights, ThinParams
from restoration.faces import FoundFace
from restoration.photo.geometry import aligned_to_photo
from restoration.photo.owners import NOBODY, Owners
from restoration.photo.thin_fill import wider_than
from restoration.risk import FaceMaps, identity_risk, region_map

_CERTAINTY = 0.9
"""How far both sides speak for a pixel between them, as `FaceMaps.certainty`. Lines over 12 held-out faces: identity
distance 0.015 where they hide 10 % of the features, 0.07 where they hide 20 %."""


def thin_damage(hole: Mask, faces: Sequence[FoundFace], params: ThinParams, budget: Budget = UNLIMITED) -> Mask:
    """Choose the damage (H, W) that both sides tell enough about.

    On a face it is narrow against the face's frame, and leaves enough of each feature: what hides an eye is the face
    model's, however narrow. Elsewhere it is narrow against the photo.

    Args:
        hole: all damage (H, W).
        faces: those that it touches.
        params: how narrow.
        budget: is checked from tile to tile.

    Raises:
        Stopped: the budget is spent.
    """
    owners = Owners.of([face.frame for face in faces], hole)
    thin = owners.of_any([NOBODY], hole)
    thin[owners.window] &= ~wider_than(hole, params.of_photo * max(hole.shape), budget)[owners.window]
    for number, face in enumerate(faces):
        window = face.frame.window
        own = owners.own(number, hole, window)
        narrow = ~wider_than(hole[window], params.of_face * face.frame.size / face.frame.scale, budget)
        thin[window] |= own & narrow & ~_over_hidden_features(face, hole.shape, params.hidden)[window]
    return thin


def thin_risk(face: FoundFace, weights: RiskWeights) -> float:
    """Identity risk of filling all damage of a face from both sides."""
    size = (face.frame.size, face.frame.size)
    maps = FaceMaps(
        hole=face.lost,
        chroma=face.colourless,
        certainty=np.full(size, _CERTAINTY, np.float32),
        witness=np.zeros(size, np.float32),
        region=region_map(face.landmarks, face.frame.size),
    )
    return identity_risk(maps, weights)


def _over_hidden_features(face: FoundFace, shape: tuple[int, ...], hidden: float) -> Mask:
    """Photo pixels (H, W) of features of which more than a share of `hidden` is damaged."""
    regions = feature_regions(face.landmarks, face.frame.size).values()
    gone = [region for region in regions if (face.lost & region).sum() > hidden * max(int(region.sum()), 1)]
    if not gone:
        return np.zeros(shape[:2], np.bool_)
    return aligned_to_photo(face.frame, np.logical_or.reduce(gone), np.ones_like(face.lost), shape)
