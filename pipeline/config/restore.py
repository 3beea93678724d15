"""Section for restoring photos."""

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipeline.config.base import Count, Positive, Section, Share


class RiskWeights(Section):
    """How much a pixel of each region contributes to identity; the largest is 1."""

    eye: Share
    brow: Share
    nose: Share
    mouth: Share
    skin: Share
    background: Share


class ReferenceUse(Section):
    """When a photo of the same person is used, and how much."""

    min_similarity: float = Field(ge=-1.0, le=1.0)
    max_missing_features: Share
    min_lead: Share
    witness: Share


class FileParams(Section):
    """Which photos are read for restoring."""

    max_megapixels: Positive
    max_mebibytes: Positive
    min_side: Count
    max_aspect: float = Field(ge=1.0)


class ThinParams(Section):
    """Which damage is filled from both sides, without the face model."""

    of_face: Share
    of_photo: Share
    hidden: Share


class FinderParams(Section):
    """Which damage that was found is used, and which is only proposed."""

    threshold: Share
    sure: Share
    net: Positive
    sure_in_net: Share
    sure_patch: Share
    sure_feature: Share
    certain: Share
    across: Share
    doubtful: Share
    large: Share
    face_share: Share

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.doubtful <= self.sure_in_net <= self.sure <= min(self.sure_patch, self.certain):
            raise ValueError("restore.finder: doubtful <= sure_in_net <= sure, and sure <= sure_patch and certain")
        if self.sure_feature < self.sure_in_net:
            raise ValueError("restore.finder: sure_in_net <= sure_feature")
        return self


class RestoreParams(Section):
    """Limits of the router, of references and of files, what fills, and what the damage finder must be sure of.

    `beside_face`: width of the band, in sides of a face's frame, in which face model and texture are compared; 0: none.
    `inpainter`: the ONNX file of the user's own network for wide damage that is no face's; None: texture of the photo.
    """

    max_area: Share
    max_inpaint_area: Share
    doubtful_identity_risk: Share
    max_identity_risk: Share
    risk_weights: RiskWeights
    reference: ReferenceUse
    files: FileParams
    min_detector_score: Share
    min_certain_score: Share
    context: Share
    thin: ThinParams
    beside_face: Share
    inpainter: str | None
    finder: FinderParams

    @field_validator("inpainter")
    @classmethod
    def _beside_the_parameters(cls, path: str | None, info: ValidationInfo) -> str | None:
        """Make a relative path one from the project's folder, where that is known."""
        if path == "":
            raise ValueError("the path of an ONNX file, or null")
        folder = (info.context or {}).get("folder")
        return path if path is None or folder is None else str(folder / Path(path).expanduser())
