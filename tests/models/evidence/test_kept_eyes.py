"""Eyes are the start's, everything away from them the proposal's, to the bit."""

import torch

from models.evidence.eye_tone import EYES, opening
from models.evidence.kept_eyes import with_kept_eyes
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import LandmarkPredictor
from models.images import to_tensor
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

SIDE = 128


def test_the_openings_are_the_starts_and_the_rest_the_proposals() -> None:
    people = portraits(SamplerParams(identities=2, views=1, seed=5, population=EVERYBODY))
    start = torch.cat([to_tensor(one.image) for one in people])
    proposal = (start + 0.4).clamp(-1, 1)
    kept = with_kept_eyes(start, proposal, LandmarkPredictor())
    for number, points in enumerate(aligned_landmarks(start, LandmarkPredictor())):
        eyes = opening(points[EYES[0]], SIDE) | opening(points[EYES[1]], SIDE)
        assert (kept - start)[number, :, eyes].abs().max() < 0.1
        top, bottom = int(points[36:48, 1].min()), int(points[36:48, 1].max())
        assert torch.equal(kept[number, :, : top - 14], proposal[number, :, : top - 14])
        assert torch.equal(kept[number, :, bottom + 14 :], proposal[number, :, bottom + 14 :])
