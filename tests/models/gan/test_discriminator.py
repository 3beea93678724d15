"""The discriminator sees detail beside the picture, and is asked only about what was made."""

import torch

from models.gan.discriminator import Discriminator, detail, generated_patch_mask


def test_detail_of_a_flat_picture_and_of_a_point() -> None:
    picture = torch.full((1, 1, 5, 5), 0.5)
    assert torch.allclose(detail(picture), torch.zeros(1, 1, 5, 5), atol=1e-7)
    picture[0, 0, 2, 2] += 0.9
    found = detail(picture)[0, 0]
    assert torch.allclose(found[2, 2], torch.tensor(0.8))
    assert torch.allclose(found[1, 1], torch.tensor(-0.1))
    assert torch.allclose(found[0], torch.zeros(5), atol=1e-7)


def test_a_cell_is_judged_if_anything_in_it_was_made() -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[0, 0, 9, 23] = 1
    asked = generated_patch_mask(mask)
    assert asked.shape == (1, 1, 4, 4)
    assert asked.sum() == asked[0, 0, 1, 2] == 1


def test_logits_and_features_have_the_promised_shapes() -> None:
    torch.manual_seed(0)
    network = Discriminator(8)
    images, mask = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    features = network.features(images, mask)
    assert [tuple(level.shape[1:]) for level in features] == [(8, 16, 16), (16, 8, 8), (32, 4, 4), (1, 4, 4)]
    assert torch.equal(features[-1], network(images, mask))


def test_a_blurred_fill_is_told_from_the_original_within_few_steps() -> None:
    torch.manual_seed(1)
    network = Discriminator(8)
    real = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5
    fake, mask = torch.nn.functional.avg_pool2d(real, 3, 1, 1), torch.ones(8, 1, 32, 32)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(15):
        margin = network(real, mask).mean() - network(fake, mask).mean()
        optimizer.zero_grad()
        (-margin).backward()
        optimizer.step()
    assert margin > 1
