"""Both encoders know a person again, and only one of them can be trained against."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.face.detector import Face
from models.face.landmarks import LandmarkPredictor
from models.face_networks.names import BUILT_IN, DLIB, SFACE
from models.identity.dlib_encoder import CHIP_POINTS, WHITENING, DlibEncoder, whitening_of
from models.identity.encoders import ENCODERS as ENCODERS_BY_NAME
from models.identity.encoders import (
    IdentityEncoder,
    independent_encoder,
    sface_encoder,
    similarity,
    training_encoder,
)
from models.images import Image, to_tensor
from scripts.benchmarks.measure_encoders import embed_all, found, pair_similarities
from scripts.calibration.measure_dlib import points_in_chip

ENCODERS = [partial(training_encoder, SFACE), partial(independent_encoder, DLIB)]
Photos = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def six(group: Image, group_faces: list[Face]) -> Photos:
    points = torch.from_numpy(np.stack([face.points for face in group_faces]))
    return to_tensor(group).expand(6, -1, -1, -1), points


@pytest.mark.parametrize("make", ENCODERS)
def test_six_people_are_six_people(make: Callable[[], IdentityEncoder], six: Photos, group: Image) -> None:
    """Each is closest to the same face, darker and blurred, and by far."""
    encoder = make()
    worse = to_tensor(cv2.GaussianBlur((group * 0.6).astype(np.uint8), (0, 0), 1.0)).expand(6, -1, -1, -1)
    with torch.no_grad():
        clean, damaged = encoder.embed(*six), encoder.embed(worse, six[1])
    assert clean.shape == (6, encoder.dim)
    torch.testing.assert_close(clean.norm(dim=1), torch.ones(6))
    cosines = clean @ damaged.T
    same, others = cosines.diagonal(), cosines[~torch.eye(6, dtype=torch.bool)]
    assert same.min() > 0.6
    assert others.max() < same.min() - 0.2


def test_the_table_holds_the_names_that_need_no_pack() -> None:
    assert tuple(ENCODERS_BY_NAME) == BUILT_IN
    assert [training_encoder(name).name for name in BUILT_IN] == list(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_only_the_training_encoder_gives_gradients(six: Photos, name: str) -> None:
    image = six[0][:1].clone().requires_grad_()
    training_encoder(name).embed(image, six[1][:1])[0, 0].backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().max() > 0
    judged = independent_encoder(name).embed(image, six[1][:1])
    assert not judged.requires_grad
    torch.testing.assert_close(judged, training_encoder(name).embed(image, six[1][:1]).detach())


def test_the_encoder_is_shared_and_stays_frozen() -> None:
    encoder = sface_encoder()
    assert training_encoder(SFACE) is encoder
    encoder.train()
    assert not any(module.training for module in encoder.network.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_similarity_is_the_cosine() -> None:
    a = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    b = torch.tensor([[0.0, 2.0], [4.0, 3.0]])
    assert similarity(a, b).tolist() == pytest.approx([0, 0.96])


def test_whitening_makes_the_covariance_the_identity() -> None:
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(500, 5, generator=generator, dtype=torch.float64)
    samples = raw @ torch.randn(5, 5, generator=generator, dtype=torch.float64) + 3
    mean, whitening = whitening_of(samples, ridge=0.0)
    whitened = (samples - mean) @ whitening
    torch.testing.assert_close(torch.cov(whitened.T), torch.eye(5, dtype=torch.float64))
    torch.testing.assert_close(whitening, whitening.T)


def test_chip_frame_fits_the_chips_that_dlib_cuts(astronaut: Image, astronaut_face: Face) -> None:
    points = points_in_chip(astronaut, astronaut_face, LandmarkPredictor())
    assert np.abs(points - CHIP_POINTS).max() < 10  # of 150 pixels; one face against the mean of 900


def test_a_changed_whitening_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / WHITENING.name
    copy.write_bytes(WHITENING.read_bytes()[:-1] + b"\x00\x01")
    copy.with_suffix(".json").write_text(json.dumps(json.loads(WHITENING.with_suffix(".json").read_text())))
    with pytest.raises(WeightsError, match="restore assets/"):
        DlibEncoder(DLIB, copy)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("make", ENCODERS)
def test_views_of_one_person_stand_apart_from_strangers(make: Callable[[], IdentityEncoder], shared: Path) -> None:
    """Three people of whom no figure of ours was fitted, 15 views each."""
    persons, pictures, points = found(shared / "portraits" / "omi_views", limit=45)
    genuine, impostor = pair_similarities(persons, embed_all(make(), pictures, points))
    assert len(set(persons)) == 3
    assert np.percentile(impostor, 95) < 0.4 < np.median(genuine)
