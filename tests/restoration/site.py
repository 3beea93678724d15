"""Real photographs, real detectors, and restorers that are easy to reason about, for the tests of restoring."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence
from models.face.detector import Face
from models.face_model.shape_and_appearance import ShapedFaceModel, shipped_face_model
from models.images import Image, Mask
from pipeline.config.restore import FileParams, FinderParams, ReferenceUse, RestoreParams, RiskWeights, ThinParams
from restoration.types import Tools

PARAMS = RestoreParams(
    max_area=0.6,
    max_inpaint_area=0.35,
    doubtful_identity_risk=0.4,
    max_identity_risk=0.6,
    risk_weights=RiskWeights(eye=1.0, brow=0.6, nose=0.5, mouth=0.5, skin=0.2, background=0.0),
    reference=ReferenceUse(min_similarity=0.3, max_missing_features=0.6, min_lead=0.1, witness=0.5),
    files=FileParams(max_megapixels=100.0, max_mebibytes=200.0, min_side=64, max_aspect=20.0),
    min_detector_score=0.6,
    min_certain_score=0.75,
    context=0.02,
    thin=ThinParams(of_face=0.035, of_photo=0.03, hidden=0.5),
    beside_face=0.023,
    inpainter=None,
    finder=FinderParams(
        threshold=0.5,
        sure=0.8,
        net=1.0,
        sure_in_net=0.8,
        sure_patch=0.9,
        sure_feature=0.9,
        certain=0.8,
        across=1.0,
        doubtful=0.4,
        large=0.01,
        face_share=0.5,
    ),
)


class Painter:
    """Paints everything in one colour and remembers what it was given."""

    image_size = 128

    @property
    def face_model(self) -> ShapedFaceModel:
        return shipped_face_model()

    def __init__(self, colour: tuple[float, float, float] = (-0.5, 0.5, 0.1)) -> None:
        self.colour = torch.tensor(colour).view(1, 3, 1, 1)
        self.batches: list[Damaged] = []

    def restore_from(self, evidence: Evidence) -> Tensor:
        damaged = evidence.damaged
        self.batches.append(damaged)
        return torch.where(damaged.chroma_mask > 0.5, self.colour, damaged.image)


class Faceless:
    """A detector that sees no face."""

    def detect(self, image: Image) -> list[Face]:
        return []


FACELESS = Faceless()


@cache
def tools() -> Tools:
    """Detector, landmarks and matcher; no restored face is measured."""
    from models.face.detector import FaceDetector
    from models.face.landmarks import LandmarkPredictor
    from models.identity.encoders import sface_encoder

    return Tools(FaceDetector(PARAMS.min_detector_score), LandmarkPredictor(), (), sface_encoder())


@cache
def astronaut() -> Image:
    """One face, 512 x 512 pixels."""
    from skimage import data

    return np.asarray(data.astronaut())


@cache
def group() -> Image:
    """Six people, 1280 x 886 pixels."""
    from insightface.data import get_image

    return np.ascontiguousarray(get_image("t1")[..., ::-1])  # it comes as BGR


@cache
def faces_of_group() -> list[Face]:
    """From left to right."""
    return sorted(tools().detector.detect(group()), key=lambda face: face.box[0])


def box_over(face: Face, shape: tuple[int, ...], part: tuple[float, float, float, float]) -> Mask:
    """A mask of `shape` over a part (left, top, right, bottom; shares) of a face's box."""
    x, y, width, height = face.box
    mask = np.zeros(shape[:2], np.bool_)
    left, top, right, bottom = part
    mask[int(y + top * height) : int(y + bottom * height), int(x + left * width) : int(x + right * width)] = True
    return mask


def damage(image: Image, mask: Mask) -> Image:
    """Missing pixels in a loud colour, so that any use of them shows."""
    return np.where(mask[..., None], np.array([255, 0, 255], np.uint8), image)
