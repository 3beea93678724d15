"""ArcFace of a pack, in both roles: equal to SFace where its graph is SFace's, and to insightface itself."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from models.errors import ConfigError, WeightsError
from models.face.detector import Face
from models.face_networks.names import DLIB, SFACE
from models.identity.encoders import (
    check_independence,
    encoder_sha256,
    independent_encoder,
    sface_encoder,
    training_encoder,
)
from models.identity.pack_encoder import PackEncoder, PackJudge, frame_of
from models.images import Image, to_tensor
from models.package_files import FILES, file_sha256
from tests.packs import write_graph, write_recognition

Faces = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_recognition(tmp_path_factory.mktemp("packs") / "mine").parent)


@pytest.fixture(scope="module")
def faces(group: Image, group_faces: list[Face]) -> Faces:
    points = torch.from_numpy(np.stack([face.points for face in group_faces[:3]]))
    return to_tensor(group).expand(3, -1, -1, -1), points


def test_both_roles_embed_as_the_same_graph_does_without_a_pack(pack: str, faces: Faces) -> None:
    expected = sface_encoder().embed(*faces)
    for encoder in (training_encoder(pack), independent_encoder(pack)):
        torch.testing.assert_close(encoder.embed(*faces), expected, atol=1e-4, rtol=0)
        assert (encoder.name, encoder.dim) == ("mine", 128)
    assert training_encoder(pack) is training_encoder(pack)


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")  # insightface's own use of skimage
def test_insightface_itself_sees_the_same_person(pack: str, faces: Faces, group: Image) -> None:
    """Its crops are cut by cv2.warpAffine, with positions in steps of 1 / 32 pixel."""
    from insightface.app.common import Face as TheirFace
    from insightface.model_zoo import get_model

    model = get_model(str(Path(pack) / "w600k_like.onnx"))
    bgr = cv2.cvtColor(group, cv2.COLOR_RGB2BGR)
    theirs = torch.from_numpy(np.stack([model.get(bgr, TheirFace(kps=five)) for five in faces[1].numpy()]))
    cosines = torch.nn.functional.cosine_similarity(independent_encoder(pack).embed(*faces), theirs)
    assert cosines.min() > 0.995


def test_gradients_reach_the_pixels_of_the_encoder_but_not_of_the_judge(pack: str, faces: Faces) -> None:
    image = faces[0][:1].clone().requires_grad_()
    training_encoder(pack).embed(image, faces[1][:1])[0, 0].backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().max() > 0
    assert not independent_encoder(pack).embed(image, faces[1][:1]).requires_grad


def test_one_file_cannot_have_both_roles(pack: str, tmp_path: Path) -> None:
    twin = write_recognition(tmp_path / "twin")
    with pytest.raises(ConfigError, match=r"the same weights for training \(.*mine\) and judge \(.*twin\)"):
        check_independence(pack, str(twin.parent))
    check_independence(SFACE, DLIB)
    assert encoder_sha256(str(twin.parent)) == file_sha256(twin)
    assert encoder_sha256(DLIB) == FILES["dlib_recognition"].sha256


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")  # insightface's own use of skimage
def test_frames_are_those_of_insightface() -> None:
    from insightface.utils.face_align import estimate_norm

    for side in (112, 224, 128, 256):  # the frame's own points need not be moved at all
        np.testing.assert_allclose(estimate_norm(frame_of(side).astype(np.float32), side), np.eye(2, 3), atol=1e-4)


def small_graph(path: Path, *, last: str = "PRelu", batch: int | str = "N") -> Path:
    """Two convolutions beside a shortcut, normalised, with slopes, then a matrix: as in ArcFace's networks."""
    rng = np.random.default_rng(3)

    def weights(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32) / 4

    constants = {
        "f1": weights(4, 3, 3, 3),
        "b1": weights(4),
        "f2": weights(4, 2, 3, 3),
        "scale": weights(4),
        "shift": weights(4),
        "mean": weights(4),
        "variance": np.abs(weights(4)) + 0.5,
        "slopes": weights(4, 1, 1),
        "matrix": weights(6, 4 * 14 * 14),
        "bias": weights(6),
    }
    nodes = [
        helper.make_node("Conv", ["data", "f1", "b1"], ["c1"], kernel_shape=[3, 3], strides=[8, 8], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c1", "scale", "shift", "mean", "variance"], ["n1"], epsilon=2e-5),
        helper.make_node(last, ["n1", "slopes"] if last == "PRelu" else ["n1"], ["p1"]),
        helper.make_node("Conv", ["p1", "f2"], ["c2"], kernel_shape=[3, 3], pads=[1] * 4, group=2),
        helper.make_node("Add", ["c2", "c1"], ["sum"]),
        helper.make_node("Flatten", ["sum"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["out"], transB=1),
    ]
    given = helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, 112, 112])
    made = helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch, 6])
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_graph(path, nodes, constants, [given], [made])


@pytest.mark.parametrize("batch", ["N", 1])
def test_a_network_with_shortcuts_is_the_same_in_both_roles(tmp_path: Path, faces: Faces, batch: int | str) -> None:
    """Also where the graph takes one picture at a time. Its pixels go in as -1..1."""
    pack = str(small_graph(tmp_path / "small" / "r.onnx", batch=batch).parent)
    judge, encoder = PackJudge(pack), PackEncoder(pack)
    assert (judge.dim, encoder.dim) == (6, 6)
    ours, theirs = encoder.embed(*faces), judge.embed(*faces)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    torch.testing.assert_close(theirs.norm(dim=1), torch.ones(3))
    assert not torch.allclose(theirs[0], theirs[1], atol=1e-3)


def test_a_pack_that_torch_cannot_compute_may_judge_but_not_train(tmp_path: Path, faces: Faces) -> None:
    pack = str(small_graph(tmp_path / "odd" / "r.onnx", last="Softplus").parent)
    assert PackJudge(pack).embed(*faces).shape == (3, 6)
    with pytest.raises(WeightsError, match=r"got Softplus; name this pack as identity.judge.*another encoder"):
        PackEncoder(pack)


def test_an_absent_pack_is_named_with_what_to_do(tmp_path: Path) -> None:
    for load in (training_encoder, independent_encoder):
        with pytest.raises(WeightsError, match=r"the insightface pack .*nowhere; got no such folder; put the pack's"):
            load(str(tmp_path / "nowhere"))
