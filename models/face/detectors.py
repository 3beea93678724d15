"""Face detectors by name."""

from models.face.detector import FaceDetector
from models.face.pack_detector import PackDetector
from models.face_networks.insightface_pack import pack_file
from models.face_networks.names import YUNET
from models.package_files import FILES


def load_detector(name: str, min_score: float) -> FaceDetector | PackDetector:
    """Load a detector by its name in section `identity` of params.yaml; not for two threads at once.

    Raises:
        WeightsError: no such pack, or it cannot detect.
    """
    return FaceDetector(min_score) if name == YUNET else PackDetector(name, min_score)


def detector_sha256(name: str) -> str:
    """Look up the SHA-256 of a detector's weight file, 64 hex digits.

    Raises:
        WeightsError: no such pack.
    """
    return FILES["detector"].sha256 if name == YUNET else pack_file(name, "detection")[1]
