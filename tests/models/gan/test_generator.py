"""Generator, discriminator, augmentation."""

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from models.evidence.evidence import CHANNELS, CONDITIONS, Damaged, gather
from models.evidence.identity_condition import HINTS
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.augment import augment
from models.gan.discriminator import Discriminator
from models.gan.generator import Generator
from models.gan.settings import Augmentation


def batch(side: int = 32, n: int = 2) -> Damaged:
    """Noise with a square hole."""
    images = torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    hole = torch.zeros(n, 1, side, side)
    hole[:, :, 8:16, 8:16] = 1
    return Damaged(images, hole, hole, torch.full((n,), 0.2), torch.full((n,), 0.1))


def test_an_untrained_generator_returns_the_classical_fill() -> None:
    evidence = gather(batch(), shipped_face_model())
    assert torch.equal(Generator(8, 3)(evidence), evidence.start)


@pytest.mark.parametrize("side", [32, 64])
def test_any_multiple_of_its_stride_fits(side: int) -> None:
    evidence = gather(batch(side), shipped_face_model())
    assert Generator(8, 4)(evidence).shape == (2, 3, side, side)


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    generator = Generator(8, 3)
    for parameter in generator.parameters():  # away from the zero start, where branches hide each other's gradients
        torch.nn.init.normal_(parameter, std=0.1)
    generator(gather(batch(), shipped_face_model())).square().sum().backward()
    silent = [
        name
        for name, parameter in generator.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert not silent


def test_the_condition_changes_the_result() -> None:
    torch.manual_seed(0)
    generator = Generator(8, 3)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    few, many = batch(), batch()
    many = Damaged(many.image, many.hole_mask, many.chroma_mask, many.coverage + 0.5, many.missing_features)
    assert not torch.allclose(
        generator(gather(few, shipped_face_model())), generator(gather(many, shipped_face_model()))
    )


def test_attention_reaches_across_the_picture() -> None:
    torch.manual_seed(0)
    generator = Generator(8, 3)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    evidence = gather(batch(128, 1), shipped_face_model())
    start = evidence.start.clone().requires_grad_(True)
    object.__setattr__(evidence, "start", start)
    generator(evidence)[0, :, 0, 0].sum().backward()
    assert start.grad is not None
    assert start.grad[0, :, -1, 64].abs().sum() > 0


def test_discriminator_gives_patches_and_sees_the_mask() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(8).eval()
    images = torch.rand(2, 3, 64, 64)
    empty, full = torch.zeros(2, 1, 64, 64), torch.ones(2, 1, 64, 64)
    assert discriminator(images, empty).shape == (2, 1, 8, 8)
    assert not torch.allclose(discriminator(images, empty), discriminator(images, full))


def test_augment_repeats_itself_and_moves_the_mask_with_the_picture() -> None:
    marked = torch.zeros(1, 3, 32, 32)
    marked[:, :, 12:20, 12:20] = 1
    mask = marked[:, :1].clone()

    def once() -> tuple[torch.Tensor, torch.Tensor]:
        return augment(marked, mask, ["translation"], torch.Generator().manual_seed(3))

    images, masks = once()
    assert torch.equal(images[:, :1], masks)
    assert torch.equal(images, once()[0])
    assert not torch.equal(images, marked)


def test_augment_without_a_policy_changes_nothing() -> None:
    images, masks = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    same, same_masks = augment(images, masks, [], torch.Generator())
    assert torch.equal(parameters_to_vector([same, same_masks]), parameters_to_vector([images, masks]))


def test_augment_passes_gradients() -> None:
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    policy: list[Augmentation] = ["color", "translation", "cutout"]
    changed, _ = augment(images, torch.zeros(2, 1, 16, 16), policy, torch.Generator().manual_seed(1))
    changed.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_flat_evidence_gives_no_dot_grid() -> None:
    """Sub-pixel layers could paint one, and the identity loss made them: neighbours in a flat region must agree."""
    torch.manual_seed(0)
    generator = Generator(8, 3)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    flat = torch.full((1, CHANNELS, 96, 96), 0.1)
    with torch.no_grad():
        centre = (generator.propose(flat, torch.ones(1, CONDITIONS), torch.zeros(1, HINTS)) - 0.1)[..., 24:72, 24:72]
    alternating = (centre[..., ::2] - centre[..., 1::2]).mean(dim=-1).abs().max()
    assert alternating < 0.01 * centre.abs().mean()
