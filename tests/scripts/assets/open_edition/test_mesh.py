"""How the mesh becomes 68 points, by hand; the network itself is compared in tests/models/face/test_mesh_network.py."""

import numpy as np
import torch

from models.face.landmarks import MIRRORED
from models.face.mesh_network import POINTS, SIDE, MeshNetwork
from scripts.assets.open_edition.mesh import ALL, JAW, JAW_RIGHT, as_torch, jaw_steps, reduced, weights_of

SIZE = 101


def on_a_circle() -> np.ndarray:
    """A mesh whose jaw is the lower half of a circle of radius 40 around the middle, its points at uneven steps."""
    mesh = np.zeros((ALL, 2))
    angles = np.linspace(0, 1, len(JAW)) ** 2 * np.pi / 2  # from the temple at the left, at the side, to the chin
    mesh[list(JAW)] = 50 + 40 * np.stack([-np.cos(angles), np.sin(angles)], axis=1)
    mesh[list(JAW_RIGHT)] = mesh[list(JAW)] * (-1, 1) + (SIZE - 1, 0)
    return mesh


def test_the_jaw_has_equal_steps() -> None:
    mesh = on_a_circle()
    points = weights_of(jaw_steps(mesh, SIZE))[:17] @ mesh
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(steps, 40 * np.pi / 16, rtol=0.02)
    np.testing.assert_allclose(points[[0, 8, 16]], [(10, 50), (50, 90), (90, 50)], atol=1e-9)


def test_every_point_is_a_mean_and_has_its_mirror_image() -> None:
    weights = weights_of(jaw_steps(on_a_circle(), SIZE))
    assert weights.shape == (POINTS, ALL)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    pairs = dict(zip(weights[:68].argmax(axis=1), weights[MIRRORED].argmax(axis=1), strict=True))
    assert pairs[33] == 263  # outer corners of the eyes
    assert pairs[61] == 291  # corners of the mouth
    assert pairs[152] == 152  # the chin
    assert all(pairs[pairs[one]] == one for one in pairs)


def test_the_reduced_network_places_the_weighted_means() -> None:
    torch.manual_seed(0)
    whole = MeshNetwork(ALL).eval()
    weights = weights_of(jaw_steps(on_a_circle(), SIZE))
    picture = torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected = weights @ whole(picture)[0].double().numpy()
        np.testing.assert_allclose(reduced(whole, weights)(picture)[0].numpy(), expected, atol=1e-5)


def test_tensorflows_order_becomes_torchs() -> None:
    kernel = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    assert as_torch("blocks.0.wide.weight", kernel)[1, 4, 2, 3] == kernel[1, 2, 3, 4]
    deep = kernel[:1]
    assert as_torch("blocks.0.deep.weight", deep).shape == (5, 1, 3, 4)
    assert as_torch("blocks.0.deep.weight", deep)[4, 0, 2, 3] == deep[0, 2, 3, 4]
    assert as_torch("blocks.0.slope.weight", kernel[:1, 0, :1]).shape == (5,)
