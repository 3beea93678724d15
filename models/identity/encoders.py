"""Identity encoders by name: one to train with, an independent one to evaluate with.

Over 600 photos of 40 people that nothing here was fitted to (`python -m scripts.benchmarks.measure_encoders
../shared/portraits/omi_views`), cosine of strangers at the 95th percentile, median cosine of one person, share of pairs
recognised when one stranger in a hundred passes: SFace 0.27, 0.81, 0.993; dlib 0.23, 0.76, 0.979.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor
from torch.nn import functional as F

from models.errors import ConfigError
from models.face.alignment import identity_crops
from models.face_networks.insightface_pack import pack_file
from models.face_networks.names import DLIB, DLIB_OPEN, SFACE
from models.identity.dlib_encoder import dlib_encoder, open_dlib_encoder
from models.identity.interface import DifferentiableEncoder, IdentityEncoder, WithoutGradients
from models.identity.pack_encoder import PackEncoder, PackJudge
from models.identity.sface_network import sface_network
from models.package_files import FILES
from models.runtime.cached import made_once

__all__ = [
    "ENCODERS",
    "DifferentiableEncoder",
    "IdentityEncoder",
    "SFaceEncoder",
    "check_independence",
    "encoder_sha256",
    "independent_encoder",
    "sface_encoder",
    "similarity",
    "training_encoder",
]


class SFaceEncoder(DifferentiableEncoder):
    """SFace (Zhong et al. 2021, arXiv:2106.11119): 128 numbers, frozen, gradients reach the pictures."""

    name = SFACE
    dim = 128

    def __init__(self) -> None:
        super().__init__()
        self.network = sface_network()

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`; differentiable with respect to `images`."""
        pixels = (identity_crops(images, points) + 1) * 127.5
        return F.normalize(self.network(pixels), dim=1)


@made_once
def sface_encoder() -> SFaceEncoder:
    """Load the SFace encoder, one per process (frozen, so that sharing is safe)."""
    return SFaceEncoder()


ENCODERS: Mapping[str, Callable[[], DifferentiableEncoder]] = MappingProxyType(
    {SFACE: sface_encoder, DLIB: dlib_encoder, DLIB_OPEN: open_dlib_encoder}
)
"""Encoders that need no pack (`models.face_networks.names.BUILT_IN`), each loaded once per process."""
_FILES = {SFACE: "sface", DLIB: "dlib_recognition", DLIB_OPEN: "dlib_recognition"}
"""Their keys in `models.package_files.FILES`."""


@made_once
def training_encoder(name: str) -> DifferentiableEncoder:
    """Load the encoder for losses by its name in section `identity` of params.yaml, one per process. Never the judge.

    Raises:
        WeightsError: no such pack, or it can judge but not train, as torch cannot compute its graph.
    """
    return ENCODERS[name]() if name in ENCODERS else PackEncoder(name)


@made_once
def independent_encoder(name: str) -> IdentityEncoder:
    """Load the encoder for judging by its name in section `identity` of params.yaml, one per process; no gradients.

    It should have seen other data, and have another architecture and other authors, than the training encoder.

    Raises:
        WeightsError: no such pack.
    """
    return WithoutGradients(ENCODERS[name]()) if name in ENCODERS else PackJudge(name)


def encoder_sha256(name: str) -> str:
    """Look up the SHA-256 of an encoder's weight file, 64 hex digits.

    Raises:
        WeightsError: no such pack.
    """
    return FILES[_FILES[name]].sha256 if name in ENCODERS else pack_file(name, "recognition")[1]


def check_independence(training: str, judge: str) -> None:
    """Refuse one weight file in both roles, whatever its names are.

    Raises:
        ConfigError: both names lead to the same file.
        WeightsError: no such pack.
    """
    if encoder_sha256(training) == encoder_sha256(judge):
        raise ConfigError(
            "two different encoders in section identity",
            f"the same weights for training ({training}) and judge ({judge})",
            "name another judge: one that restorations were trained to please proves nothing",
        )


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Compute cosines of two sets of embeddings: (N, D), (N, D) -> (N,) in [-1, 1]."""
    return F.cosine_similarity(a, b, dim=1)
