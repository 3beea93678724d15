"""The Gaussian of faces against the textbook formula, and its properties."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import torch

from models.colour import from_planes, to_planes
from models.face_model.fit import fit, fit_with_noise
from models.face_model.gaussian import FaceModel, flatten, mirrored, rim
from models.face_model.stored import StoredFaceModel

SIDE, COMPONENTS = 16, 6


def pictures(count: int = 40, seed: int = 0) -> torch.Tensor:
    """Mixtures of a few smooth pictures, so that there is something to learn."""
    generator = torch.Generator().manual_seed(seed)
    bases = torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(9)) / 4
    smooth = torch.nn.functional.interpolate(bases, size=(SIDE, SIDE), mode="bilinear")
    weights = torch.randn(count, 4, generator=generator)
    return torch.einsum("nk,kchw->nchw", weights, smooth) * 0.5 + 0.02 * torch.randn(
        count, 3, SIDE, SIDE, generator=generator
    )


@pytest.fixture(scope="module")
def small() -> FaceModel:
    return FaceModel.of(fit_with_noise(pictures(), COMPONENTS, torch.Generator().manual_seed(0)))


def masks(left: int, chroma_everywhere: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    hole = torch.zeros(1, 1, SIDE, SIDE)
    hole[..., 4:12, left : left + 4] = 1
    return hole, torch.ones_like(hole) if chroma_everywhere else hole


@pytest.mark.parametrize("colourless", [False, True])
def test_completion_is_the_conditional_mean_of_the_gaussian(small: FaceModel, colourless: bool) -> None:
    """E[x_h | x_v] = m_h + C_hv C_vv^-1 (x_v - m_v) with C = W W' + Psi, in float64 and without any shortcut."""
    picture = pictures(1, seed=3)
    hole, chroma = masks(6, colourless)
    observed = flatten(to_planes(picture))[0].double()
    coarse = torch.nn.functional.max_pool2d(chroma, 2).flatten()
    missing = torch.cat([hole.flatten(), coarse, coarse]) > 0.5
    basis, mean = small.basis.double(), small.mean.double()
    covariance = basis @ basis.T
    seen = covariance[~missing][:, ~missing] + torch.diag(small.noise.double()[~missing])
    deviation = torch.linalg.solve(seen, observed[~missing] - mean[~missing])
    expected = mean[missing] + covariance[missing][:, ~missing] @ deviation
    found, _ = small._one(to_planes(picture)[0], torch.cat([hole, chroma, chroma], dim=1)[0])
    lost = missing[: SIDE**2]
    assert torch.allclose(found[0].flatten()[lost], expected[: int(lost.sum())].float(), atol=1e-4)


def test_certainty_is_the_share_of_the_prior_variance(small: FaceModel) -> None:
    hole, chroma = masks(4)
    completion = small.complete(pictures(1, seed=5), hole, chroma)
    missing = torch.cat([hole.flatten(), *[torch.nn.functional.max_pool2d(chroma, 2).flatten()] * 2]) > 0.5
    weighted = small.basis[~missing] / small.noise[~missing, None]
    posterior = torch.linalg.inv(torch.eye(small.basis.shape[1]) + small.basis[~missing].T @ weighted)
    cell = small.basis[: SIDE**2].T.reshape(-1, SIDE, SIDE)[:, 4:8, 4:8].mean(dim=(1, 2))
    expected = 1 - (cell @ posterior @ cell) / cell.square().sum()
    own = completion.certainty[0, 0, 5:7, 5:7]
    assert completion.certainty[hole < 0.5].min() == 1
    assert own.min() < 1
    grid = small._certainty(torch.linalg.cholesky(torch.linalg.inv(posterior)), torch.cat([hole, chroma, chroma], 1)[0])
    assert torch.allclose(grid, completion.certainty[0], atol=1e-4)
    assert 0 <= expected <= 1
    assert own.mean() == pytest.approx(expected.item(), abs=0.15)  # enlarged bilinearly, neighbours mix in


def test_what_is_open_has_the_conditional_covariance_of_the_gaussian(small: FaceModel) -> None:
    """Cov[W z | x_v] = C_hh - C_hv (C_vv + Psi_v)^-1 C_vh with C = W W', in float64 and without any shortcut."""
    hole, chroma = masks(6)
    coarse = torch.nn.functional.max_pool2d(chroma, 2).flatten()
    missing = torch.cat([hole.flatten(), coarse, coarse]) > 0.5
    basis = small.basis.double()
    prior = basis @ basis.T
    seen = prior[~missing][:, ~missing] + torch.diag(small.noise.double()[~missing])
    expected = prior - prior[:, ~missing] @ torch.linalg.solve(seen, prior[~missing])
    root = small.open_directions(torch.cat([hole, chroma, chroma], dim=1)[0])
    latents = torch.linalg.solve_triangular(root, torch.eye(len(root)), upper=True).T  # a draw by each unit vector
    shown = small.deviations(latents)[:, 0].flatten(1).double()
    assert torch.allclose(shown.T @ shown, expected[: SIDE**2, : SIDE**2], atol=1e-5)


def test_what_components_cannot_show_is_the_held_out_deviation(small: FaceModel) -> None:
    unexplained = small.unexplained()
    assert unexplained.shape == (3, SIDE, SIDE)
    assert torch.allclose(unexplained[0].flatten(), (small.noise[: SIDE**2] / 32).sqrt())


def test_a_draft_keeps_the_components_that_stand_out_from_the_noise(small: FaceModel) -> None:
    count = small.basis.shape[1]
    strength = (small.basis.square() / small.noise[:, None]).sum(dim=0)
    draft = small.strongest(2)
    assert torch.equal(draft.basis, small.basis[:, strength.argsort(descending=True)[:2]])
    picture, (hole, chroma) = pictures(1, seed=3), masks(6)
    whole, again, rough = (m.complete(picture, hole, chroma).picture for m in (small, small.strongest(count), draft))
    assert torch.allclose(whole, again, atol=1e-5)
    assert not torch.allclose(whole, rough, atol=1e-3)


def test_a_mirrored_picture_is_completed_alike(small: FaceModel) -> None:
    picture, (hole, chroma) = pictures(1, seed=4), masks(2)
    straight = small.complete(picture, hole, chroma).picture
    turned = small.complete(picture.flip(-1), hole.flip(-1), chroma.flip(-1)).picture
    assert torch.allclose(straight, turned.flip(-1), atol=1e-4)


def test_what_is_missing_is_never_read(small: FaceModel) -> None:
    picture, (hole, chroma) = pictures(1, seed=6), masks(5)
    other = torch.where(hole > 0.5, torch.rand_like(picture), picture)
    assert torch.equal(small.complete(picture, hole, chroma).picture, small.complete(other, hole, chroma).picture)


def test_it_predicts_better_than_the_mean(small: FaceModel) -> None:
    unseen, (hole, chroma) = pictures(20, seed=8), masks(6)
    holes = hole.expand(20, -1, -1, -1)
    found = small.complete(unseen, holes, holes).picture
    average = pictures().mean(dim=0, keepdim=True)
    inside = holes.expand_as(unseen) > 0.5
    assert (found - unseen)[inside].square().mean() < 0.3 * (average - unseen)[inside].square().mean()
    assert chroma.shape == hole.shape


def test_components_are_those_of_a_plain_pca_of_pictures_and_mirror_images() -> None:
    faces = pictures(12)
    tensors = fit(faces, COMPONENTS)
    model = FaceModel.of(tensors)
    rows = flatten(to_planes(torch.cat([faces, faces.flip(-1)]))).double().numpy()
    centred = rows - rows.mean(axis=0)
    values = np.linalg.svd(centred / np.sqrt(len(rows)), compute_uv=False)[:COMPONENTS]
    found = model.basis.norm(dim=0).sort(descending=True).values.numpy()
    np.testing.assert_allclose(found, values, rtol=1e-3)


def test_rounded_small_it_completes_alike(small: FaceModel) -> None:
    tensors = fit_with_noise(pictures(), COMPONENTS, torch.Generator().manual_seed(0))
    again, (hole, chroma) = FaceModel.of(StoredFaceModel.compress(tensors).expand()), masks(6)
    picture = pictures(1, seed=2)
    expected = small.complete(picture, hole, chroma).picture
    assert again.size == SIDE
    assert (again.complete(picture, hole, chroma).picture - expected).abs().max() < 0.02


def test_halves_make_even_and_odd_wholes() -> None:
    half = torch.randn(2, 3 * SIDE**2 // 4)
    for sign in (1.0, -1.0):
        luma = mirrored(half, SIDE, sign)[:, : SIDE**2].view(2, SIDE, SIDE)
        assert torch.equal(luma, sign * luma.flip(-1))


def test_rim_solves_the_screened_poisson_equation() -> None:
    """(lambda - Laplacian) u = 0 in the hole, u = residual on its rim, solved by a sparse factorisation."""
    side, missing = 24, torch.zeros(1, 1, 24, 24)
    missing[..., 3:15, 6:24] = 1  # touches the frame, beyond which there is nothing
    residual = torch.randn(1, 2, side, side, generator=torch.Generator().manual_seed(1))
    number, lost = np.arange(side**2).reshape(side, side), missing[0, 0].numpy() > 0.5
    matrix, right = scipy.sparse.lil_array((side**2, side**2)), residual[0].reshape(2, -1).T.double().numpy()
    right[lost.ravel()] = 0
    for y, x in np.ndindex(side, side):
        near = [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)] if lost[y, x] else []
        inside = [place for place in near if min(place) >= 0 and max(place) < side]
        matrix[number[y, x], number[y, x]] = len(inside) + 0.02 * (128 / side) ** 2 if lost[y, x] else 1
        for place in inside:
            matrix[number[y, x], number[place]] = -1
    expected = scipy.sparse.linalg.spsolve(matrix.tocsr(), right).T.reshape(2, side, side)
    assert np.allclose(rim(residual, missing)[0].numpy(), expected, atol=1e-4)


def test_rim_of_a_wide_hole_fades_and_leaves_the_known_as_it_is() -> None:
    residual, missing = torch.full((1, 1, 128, 128), 0.3), torch.zeros(1, 1, 128, 128)
    missing[..., 20:100, 20:100] = 1
    carried = rim(residual, missing)
    assert torch.equal(carried[missing < 0.5], residual[missing < 0.5])
    assert carried[0, 0, 20, 60] == pytest.approx(0.3 * np.exp(-(0.02**0.5)), rel=0.03)
    assert carried[0, 0, 60, 60].abs() < 0.001
    assert rim(residual, torch.ones_like(missing)).abs().max() == 0


def test_planes_are_bt601_and_turn_back() -> None:
    colours = torch.tensor([[1.0, -1, -1], [-1, -1, 1], [0.2, 0.2, 0.2]]).view(3, 3, 1, 1)
    planes = to_planes(colours)
    assert planes[0, :, 0, 0].tolist() == pytest.approx([0.299 * 2 - 1, -0.33748, 1.0], abs=1e-3)
    assert planes[1, 1, 0, 0].item() == pytest.approx(1.0, abs=1e-6)
    assert planes[2, 1:, 0, 0].abs().max() < 1e-6
    assert torch.allclose(from_planes(planes), colours, atol=1e-6)
