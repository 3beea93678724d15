"""Evidence: what is known stays, what is filled comes from it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classical_fill import FillMethod, classical_fill
from models.evidence.evidence import CHANNELS, CONDITIONS, Damaged, compose, gather, luma
from models.evidence.identity_condition import HINTS
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import to_tensor, to_uint8


def scene(seed: int, side: int = 32) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A smooth picture, a hole, and a larger region without colour."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    hole, chroma = np.zeros((2, side, side), bool)
    y, x = rng.integers(2, side - 12, 2)
    hole[y : y + 8, x : x + 8] = True
    chroma[y - 2 : y + 10, x - 2 : x + 10] = True
    return image, hole, chroma


def damaged(seeds: list[int]) -> Damaged:
    """A batch of scenes."""
    images, holes, chromas = (np.stack(part) for part in zip(*(scene(seed) for seed in seeds), strict=True))
    hole, chroma = (torch.from_numpy(mask).unsqueeze(1).float() for mask in (holes, chromas))
    share = torch.tensor([0.25] * len(seeds))
    return Damaged(to_tensor(images), hole, chroma, share, share / 2)


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_fill_keeps_known_pixels(method: FillMethod, seed: int) -> None:
    image, hole, chroma = scene(seed)
    filled = classical_fill(image, hole, chroma, method)
    assert np.array_equal(filled[~chroma], image[~chroma])


def test_fill_is_opencvs_where_no_colour_is_lost() -> None:
    image, hole, _ = scene(3)
    expected = cv2.inpaint(image, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert np.array_equal(classical_fill(image, hole, hole, "telea")[hole], expected[hole])


def test_fill_gives_colour_back_and_keeps_luma() -> None:
    image = np.full((24, 24, 3), (200, 120, 80), np.uint8)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, axis=2)
    chroma = np.zeros((24, 24), bool)
    chroma[8:16, 8:16] = True
    given_picture = np.where(chroma[..., None], grey, image)
    filled = classical_fill(given_picture, np.zeros_like(chroma), chroma, "telea")
    assert np.abs(filled.astype(int) - image).max() <= 4  # three roundings to 8 bits


def test_fill_without_any_known_pixel_is_grey() -> None:
    image, everything = np.zeros((16, 16, 3), np.uint8), np.ones((16, 16), bool)
    assert (classical_fill(image, everything, everything, "telea") == 128).all()


def test_evidence_has_the_promised_channels() -> None:
    evidence = gather(damaged([1, 2]), shipped_face_model())
    stacked = evidence.stacked()
    assert stacked.shape == (2, CHANNELS, 32, 32)
    assert torch.equal(stacked[:, :3], evidence.start)
    assert torch.equal(stacked[:, 9:12], evidence.start.flip(-1))
    assert torch.equal(stacked[:, 12:13], 1 - evidence.damaged.hole_mask.flip(-1))
    assert not stacked[:, 14:].any()  # nobody has a reference


def test_the_start_keeps_what_is_known() -> None:
    batch = damaged([4])
    evidence = gather(batch, shipped_face_model())
    known = (batch.chroma_mask < 0.5).expand_as(batch.image)
    assert torch.equal(evidence.start[known], batch.image[known])
    assert (evidence.certainty[batch.chroma_mask < 0.5] == 1).all()
    assert evidence.hint.shape == (1, HINTS)
    assert evidence.hint[0, -3:].tolist() == [0, 1, 0]  # from what is visible


def test_what_a_hole_holds_changes_no_evidence() -> None:
    batch = damaged([6])
    other = torch.where(batch.hole_mask > 0.5, torch.rand_like(batch.image), batch.image)
    changed = gather(replace(batch, image=other), shipped_face_model())
    for name in ("start", "completion", "certainty", "plain", "lines", "hint"):
        assert torch.equal(getattr(gather(batch, shipped_face_model()), name), getattr(changed, name)), name


def test_condition_holds_shares() -> None:
    batch = damaged([5])
    condition = batch.condition()
    assert condition.shape == (1, CONDITIONS)
    assert condition[0].tolist() == pytest.approx([0.25, 0.125, 64 / 1024, (144 - 64) / 1024])


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_compose_keeps_known_pixels_to_the_bit(seed: int) -> None:
    batch = damaged([seed])
    proposal = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 4 - 2
    restored = compose(batch, proposal)
    known = (batch.chroma_mask < 0.5).expand_as(restored)
    hole = (batch.hole_mask > 0.5).expand_as(restored)
    assert torch.equal(restored[known], batch.image[known])
    assert torch.equal(restored[hole], proposal.clamp(-1, 1)[hole])


def test_compose_takes_only_colour_where_only_colour_is_gone() -> None:
    luma_only = torch.full((1, 3, 2, 2), -0.2)
    none, all_chroma = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    batch = Damaged(luma_only, none, all_chroma, torch.zeros(1), torch.zeros(1))
    proposal = torch.tensor([0.3, 0.1, -0.3]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    restored = compose(batch, proposal)
    assert torch.allclose(luma(restored), luma(luma_only), atol=1e-6)
    difference = restored - luma(restored)
    assert torch.allclose(difference, proposal - luma(proposal), atol=1e-6)


def test_round_trip_of_pictures() -> None:
    image, _, _ = scene(9)
    assert np.array_equal(to_uint8(to_tensor(image))[0], image)
