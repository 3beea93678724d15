"""dlib's network in torch against dlib itself."""

import cv2
import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.face.detector import Face
from models.identity.dlib_network import DlibNetwork, _fill, _padded_sum, dlib_network
from models.images import Image
from models.package_files import package_file


def test_it_is_dlibs_own_network(group: Image, group_faces: list[Face]) -> None:
    import dlib

    boxes = [[round(value) for value in face.box] for face in group_faces[:4]]
    chips = [cv2.resize(group[y : y + h, x : x + w], (150, 150)) for x, y, w, h in boxes]
    reference = dlib.face_recognition_model_v1(str(package_file("dlib_recognition")))
    expected = np.array(reference.compute_face_descriptor(chips))
    with torch.no_grad():
        found = dlib_network()(torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float())
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_unlike_maps_are_filled_at_their_end() -> None:
    small, large = torch.ones(1, 1, 1, 2), torch.full((1, 2, 2, 1), 10.0)
    assert _padded_sum(small, large).tolist() == [[[[11, 1], [10, 0]], [[10, 0], [10, 0]]]]


def test_a_file_without_the_tensors_is_refused(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(WeightsError, match=r"dlib tensor of shape \(4736, 1, 1, 1\)"):
        _fill(DlibNetwork(), package_file("dlib_landmarks"))
