"""A reference photo as witness: it is moved, toned, and silent where it is absent."""

import numpy as np
import torch

from models.evidence.evidence import Damaged, gather
from models.evidence.identity_condition import HINTS, identity_hint, template_points, without_hint
from models.evidence.reference_photo import Reference, match_light
from models.face.alignment import TEMPLATE
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import Image, to_tensor

SIDE = 64


def test_another_light_is_taken_back() -> None:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 8, 8, generator=generator) - 0.5
    target = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear")
    missing = torch.zeros(1, 1, SIDE, SIDE)
    missing[..., 24:40, 24:40] = 1
    darker = target * 0.7 - 0.2
    found = match_light(darker, target, missing)
    inside = missing.expand_as(target) > 0.5
    assert (found - target)[inside].abs().mean() < 0.1 * (darker - target)[inside].abs().mean()


def batch(present: list[float]) -> Damaged:
    count = len(present)
    images = torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) - 0.5
    hole = torch.zeros(count, 1, SIDE, SIDE)
    hole[..., 20:40, 20:40] = 1
    share = torch.full((count,), 0.2)
    return Damaged(images, hole, hole, share, share, Reference(images.flip(0), torch.tensor(present)))


def test_absent_photos_say_nothing() -> None:
    evidence = gather(batch([1.0, 0.0]), shipped_face_model())
    assert evidence.reference_mask[0].mean() > 0.5
    assert not evidence.reference_mask[1].any()
    differs = (evidence.start != evidence.completion).flatten(1).any(dim=1)
    assert differs.tolist() == [True, False]
    assert evidence.hint[:, -3:].tolist() == [[0, 0, 1], [0, 1, 0]]


def test_the_photo_fills_the_hole_and_nothing_else() -> None:
    damaged = batch([1.0])
    evidence = gather(damaged, shipped_face_model())
    hole = (damaged.hole_mask > 0.5).expand_as(damaged.image)
    assert torch.equal(evidence.start[~hole], damaged.image[~hole])
    stacked = evidence.stacked()
    assert torch.equal(stacked[:, 14:17], evidence.completion - evidence.start)
    assert torch.equal(stacked[:, 17:], evidence.reference_mask)


def test_the_hint_is_the_embedding_of_the_photo(astronaut: Image) -> None:
    picture = to_tensor(np.ascontiguousarray(astronaut[0:256, 96:352]))
    start = torch.zeros_like(picture)
    with_photo = identity_hint(start, Reference(picture, torch.ones(1)))
    of_itself = identity_hint(picture, None)
    assert with_photo.shape == (1, HINTS)
    assert torch.allclose(with_photo[:, :-3], of_itself[:, :-3])
    assert not torch.allclose(with_photo[:, :-3], identity_hint(start, None)[:, :-3])


def test_a_withheld_hint_is_the_flag_alone() -> None:
    hint = torch.rand(2, HINTS)
    kept = without_hint(hint, torch.tensor([0.0, 1.0]))
    assert torch.equal(kept[0], hint[0])
    assert kept[1].tolist() == [0.0] * (HINTS - 3) + [1.0, 0.0, 0.0]


def test_template_points_are_pixels() -> None:
    points = template_points(torch.zeros(2, 3, SIDE, SIDE))
    assert points.shape == (2, 5, 2)
    np.testing.assert_allclose(points[1].numpy(), TEMPLATE * SIDE - 0.5, rtol=1e-6)
