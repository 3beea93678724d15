import cv2
import numpy as np

from restoration.photo.colour.colour_spread import guided, small_side, spread


def halves(height: int, width: int) -> np.ndarray:
    """Dark left, bright right, as luma."""
    return np.where(np.arange(width) < width // 2, 60.0, 180.0).astype(np.float32)[None].repeat(height, axis=0)


def test_values_fill_their_own_side_of_an_edge() -> None:
    shown = halves(20, 30)
    weights, targets = np.full((20, 30), 1e-7, np.float32), np.zeros((20, 30, 2), np.float32)
    for row, column, value in ((10, 3, (40, -10)), (4, 26, (-20, 30))):
        weights[row, column], targets[row, column] = 100, value
    found = spread(shown, targets, weights)
    assert np.abs(found[:, :13] - (40, -10)).max() < 3
    assert np.abs(found[:, 17:] - (-20, 30)).max() < 3


def test_it_is_the_minimum_of_the_squared_differences() -> None:
    """On an even picture, by a dense solution of the same sum: neighbours weigh 1."""
    rng = np.random.default_rng(4)
    targets, weights = rng.normal(size=(5, 6, 1)).astype(np.float32), rng.uniform(0.1, 2, (5, 6)).astype(np.float32)
    number = np.arange(30).reshape(5, 6)
    pairs = [*zip(number[:, :-1].ravel(), number[:, 1:].ravel(), strict=True)]
    pairs += [*zip(number[:-1].ravel(), number[1:].ravel(), strict=True)]
    differences = np.zeros((len(pairs) + 30, 30))
    for row, (one, other) in enumerate(pairs):
        differences[row, [one, other]] = 1, -1
    root = np.sqrt(weights.ravel().astype(float))
    differences[len(pairs) :] = np.diag(root)
    wanted = np.concatenate([np.zeros(len(pairs)), root * targets.ravel()])
    expected = np.linalg.lstsq(differences, wanted, rcond=None)[0]
    assert np.allclose(spread(np.full((5, 6), 90, np.float32), targets, weights).ravel(), expected, atol=1e-5)


def test_edges_are_found_again_at_the_photos_resolution() -> None:
    shown = halves(400, 600)
    side = (75, 50)
    small = cv2.resize(shown, side, interpolation=cv2.INTER_AREA)
    found = guided((small > 120).astype(np.float32)[..., None], small, (shown.shape[0], shown.shape[1])).at(shown, 0)
    assert found.shape == (400, 600, 1)
    assert found[:, :299].max() < 0.2
    assert found[:, 301:].min() > 0.8  # enlarged without the photo's edge it is 0.5 +- 0.1 there


def test_the_copy_has_a_bounded_side_and_is_never_larger() -> None:
    assert small_side((1000, 2000)) == (256, 128)
    assert small_side((50, 70)) == (70, 50)
