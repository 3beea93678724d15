"""SCRFD through insightface, on a graph with its outputs that finds red squares: boxes and points by hand."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import WeightsError
from models.face.detector import FaceDetector
from models.face.detectors import detector_sha256, load_detector
from models.package_files import FILES, file_sha256
from tests.packs import POINTS, write_detection, write_recognition

SQUARE = 64
"""Side of the red square, in a picture of 1280 pixels that is looked at in a copy of 640."""


def picture(colour: tuple[int, int, int]) -> np.ndarray:
    canvas = np.zeros((1280, 1280, 3), np.uint8)
    canvas[640 : 640 + SQUARE, 320 : 320 + SQUARE] = colour
    return canvas


def test_box_points_and_score_are_those_of_the_picture(tmp_path: Path) -> None:
    write_detection(tmp_path)
    detector = load_detector(str(tmp_path), 0.6)
    (face,) = detector.detect(picture((255, 0, 0)))
    assert face.box == pytest.approx((320 - 64, 640 - 64, 3 * 64, 4 * 64))
    np.testing.assert_allclose(face.points, np.array([320, 640]) + SQUARE * np.array(POINTS), atol=1e-3)
    assert face.points.dtype == np.float32
    assert face.score == pytest.approx((255 - 127.5) / 128)
    assert detector.detect(picture((0, 0, 255))) == []  # the channels are not swapped
    assert load_detector(str(tmp_path), 0.999).detect(picture((255, 0, 0))) == []


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")  # insightface's own use of skimage
def test_insightface_itself_finds_the_same(tmp_path: Path) -> None:
    from insightface.app import FaceAnalysis

    write_detection(tmp_path)
    write_recognition(tmp_path)
    image = picture((255, 0, 0))
    analysis = FaceAnalysis(str(tmp_path), providers=["CPUExecutionProvider"])
    analysis.prepare(-1, det_thresh=0.6)
    (theirs,), (ours,) = analysis.get(image[..., ::-1]), load_detector(str(tmp_path), 0.6).detect(image)
    np.testing.assert_allclose(theirs.kps, ours.points)
    np.testing.assert_allclose(theirs.bbox[2:] - theirs.bbox[:2], ours.box[2:])
    assert float(theirs.det_score) == pytest.approx(ours.score)


def test_a_detector_without_points_is_refused(tmp_path: Path) -> None:
    write_detection(tmp_path, points=False)
    with pytest.raises(WeightsError, match=r"five points; got .*det_by_hand.onnx without points; name another pack"):
        load_detector(str(tmp_path), 0.6)


def test_the_file_that_detects_is_known(tmp_path: Path) -> None:
    assert isinstance(load_detector("yunet", 0.6), FaceDetector)
    assert detector_sha256("yunet") == FILES["detector"].sha256
    path = write_detection(tmp_path / "pack")
    assert detector_sha256(str(path.parent)) == file_sha256(path)
