"""Eyes are the start's where anything is seen of them, else the proposal's; away from them all is the proposal's."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence, gather
from models.evidence.eye_tone import EYES, opening
from models.evidence.kept_eyes import with_kept_eyes
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import LandmarkPredictor
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import to_tensor
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

SIDE = 128
LANDMARKER = LandmarkPredictor()
Openings = list[tuple[Tensor, Tensor]]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Of two people, of whom nothing is missing."""
    people = portraits(SamplerParams(identities=2, views=1, seed=5, population=EVERYBODY))
    image = torch.cat([to_tensor(one.image) for one in people])
    nothing, none = torch.zeros(2, 1, SIDE, SIDE), torch.zeros(2)
    return gather(Damaged(image, nothing, nothing, none, none), shipped_face_model())


@pytest.fixture(scope="module")
def openings(evidence: Evidence) -> Openings:
    points = aligned_landmarks(evidence.start, LANDMARKER)
    return [(opening(own[EYES[0]], SIDE), opening(own[EYES[1]], SIDE)) for own in points]


def proposed(evidence: Evidence) -> Tensor:
    return (evidence.start + 0.4).clamp(-1, 1)


def hidden(evidence: Evidence, eyes: list[Tensor]) -> Evidence:
    """Hide pixels of each portrait."""
    mask = torch.stack(eyes)[:, None].float()
    return replace(evidence, damaged=replace(evidence.damaged, hole_mask=mask, chroma_mask=mask))


def test_the_openings_are_the_starts_and_the_rest_the_proposals(evidence: Evidence, openings: Openings) -> None:
    one_hidden = hidden(evidence, [left for left, _ in openings])
    kept, proposal = with_kept_eyes(one_hidden, proposed(evidence), LANDMARKER), proposed(evidence)
    for number, points in enumerate(aligned_landmarks(evidence.start, LANDMARKER)):
        left, right = openings[number]
        assert (kept - evidence.start)[number, :, left | right].abs().max() < 0.1
        top, bottom = int(points[36:48, 1].min()), int(points[36:48, 1].max())
        assert torch.equal(kept[number, :, : top - 14], proposal[number, :, : top - 14])
        assert torch.equal(kept[number, :, bottom + 14 :], proposal[number, :, bottom + 14 :])


def test_where_neither_eye_is_seen_all_is_the_proposals(evidence: Evidence, openings: Openings) -> None:
    first_only = hidden(evidence, [openings[0][0] | openings[0][1], openings[1][0]])
    kept = with_kept_eyes(first_only, proposed(evidence), LANDMARKER)
    assert torch.equal(kept[0], proposed(evidence)[0])
    assert not torch.equal(kept[1], proposed(evidence)[1])


def test_eyes_that_a_reference_photo_shows_are_kept(evidence: Evidence, openings: Openings) -> None:
    unseen = hidden(evidence, [left | right for left, right in openings])
    shown = replace(unseen, reference_mask=unseen.damaged.hole_mask)
    kept = with_kept_eyes(shown, proposed(evidence), LANDMARKER)
    for number, (left, right) in enumerate(openings):
        assert (kept - evidence.start)[number, :, left | right].abs().max() < 0.1
