"""Schemas of restorations and masks."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.damage_finder.kinds import Kind
from monitoring.log.rows import Arm
from restoration.modes import Mode

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Cosine = Annotated[float, Field(ge=-1.001, le=1.001)]
PictureWish = Literal["png", "input", "none"]

EXAMPLE_ID = "0f8fad5bd9cb469fa165709867288f5c"
EXAMPLE_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Shape(BaseModel):
    """Base of all schemas: frozen, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def example(value: dict[str, Any]) -> ConfigDict:
    """Make a model configuration with an example."""
    return ConfigDict(json_schema_extra={"examples": [value]})


class Problem(Shape):
    """Why a request has no outcome (application/problem+json)."""

    status: int = Field(description="HTTP status")
    code: str = Field(description="identifier of the problem, for programs")
    expected: str = Field(description="what the service needed")
    got: str = Field(description="what came instead")
    remedy: str = Field(description="what to do")
    request_id: str = Field(description="id of this request, for the operator")


class RegionTrust(Shape):
    """Where the pixels of a region of the face come from; the four shares sum to 1."""

    known: Share = Field(description="not missing in the photo")
    evidence: Share = Field(description="inferred from the visible rest of the face")
    witness: Share = Field(description="taken from a reference photo")
    prior: Share = Field(description="invented from what faces look like in general")


class FaceFigures(Shape):
    """One face that the damage touches."""

    box: tuple[float, float, float, float] = Field(description="x, y, width, height in pixels of the photo")
    detector_score: float
    mode: Mode
    reason: str
    coverage: Share = Field(description="missing share of the face hull")
    missing_features: Share = Field(description="missing share of eyes, brows, nose and mouth")
    identity_risk: Share = Field(description="0 = nothing is invented, 1 = the whole face")
    untouched: Share = Field(description="share of its missing pixels that are left as they were")
    untouched_features: tuple[str, ...]
    trust: dict[str, RegionTrust] = Field(description="by region of the face")
    reference: int | None = Field(description="number, from 1, of the reference photo that was used")
    likeness_to_plain: dict[str, Cosine] | None = Field(
        description="cosine of restored and classically filled face, by encoder: 1 = nothing was changed"
    )
    likeness_to_reference: dict[str, Cosine] | None = Field(description="cosine with the reference photo, by encoder")


class DamagePiece(Shape):
    """One connected piece of detected damage."""

    kind: Kind
    confidence: Share = Field(description="probability that it is damage")
    area: Share = Field(description="of the photo")
    box: tuple[int, int, int, int] = Field(description="x, y, width, height in pixels of the photo")
    used: bool = Field(description="certain enough for the mask; with mode `inpaint` the others are used, too")
    why: str = Field(description="why it is only proposed; empty if it is used")


EXAMPLE_PIECES = (
    {"kind": "crack", "confidence": 0.97, "area": 0.027, "box": [184, 0, 41, 512], "used": True, "why": ""},
    {
        "kind": "stain",
        "confidence": 0.61,
        "area": 0.012,
        "box": [20, 300, 88, 70],
        "used": False,
        "why": "not sure enough",
    },
)


class MaskFigures(Shape):
    """The mask that was used."""

    found: bool = Field(description="true: detected by the service; false: given by the caller")
    confidence: Share | None = Field(description="mean probability that the detected mask is damage")
    proposed: Share = Field(description="share of the photo that may be damaged and is not in the mask")
    pieces: tuple[DamagePiece, ...] = Field(description="the largest detected pieces")
    piece_count: int = Field(ge=0, description="how many pieces were detected")
    hints: tuple[str, ...] = Field(description="what about a given mask may not be meant, as that it is inverted")


class Timings(Shape):
    """Milliseconds; `restore` leaves out `verify`."""

    queue: float
    decode: float
    mask: float
    restore: float
    verify: float = Field(description="identity figures of both encoders")
    encode: float = Field(description="encoding, marking and signing; 0 where no picture was asked for")
    log: float = Field(description="features for the log")


class Outcome(Shape):
    """The result of a request."""

    request_id: str
    mode: Mode
    strength: Share = Field(description="share of what the face model filled; the rest is the classical fill")
    veil: Share | None = Field(description="how much of a veil of fading was lifted from every pixel; null: none was")
    generated: bool = Field(description="whether a trained model made any pixel; what the photo itself filled is not")
    reason: str
    reasons: tuple[str, ...] = Field(description="the same, part by part")
    area: Share = Field(description="missing share of the photo")
    coverage: Share | None = Field(description="largest of the faces")
    missing_features: Share | None = Field(description="largest of the faces")
    uncertainty: Share | None = Field(description="share of the missing features that rests on the prior")
    faces: tuple[FaceFigures, ...]
    references: tuple[str, ...] = Field(description="how each reference photo was used")
    mask: MaskFigures
    model_version: str
    arm: Arm = Field(description="arm of the A/B test; champion without a test")
    timings: Timings
    kept: bool = Field(description="whether the pictures were kept, because the caller opted in")
    picture_type: str | None = Field(description="media type of `picture`")
    picture: str | None = Field(
        description="base64; null if refused or not requested; the photo itself if `mode` is `unchanged`"
    )

    model_config = example(
        {
            "request_id": EXAMPLE_ID,
            "mode": "inpaint",
            "strength": 1.0,
            "veil": 0.82,
            "generated": True,
            "reason": "13.2% of the features missing, identity risk 0.06",
            "reasons": ["13.2% of the features missing, identity risk 0.06"],
            "area": 0.031,
            "coverage": 0.164,
            "missing_features": 0.132,
            "uncertainty": 0.41,
            "faces": [
                {
                    "box": [171.0, 72.5, 108.2, 143.9],
                    "detector_score": 0.93,
                    "mode": "inpaint",
                    "reason": "13.2% of the features missing, identity risk 0.06",
                    "coverage": 0.164,
                    "missing_features": 0.132,
                    "identity_risk": 0.06,
                    "untouched": 0.0,
                    "untouched_features": [],
                    "trust": {"nose": {"known": 0.5, "evidence": 0.21, "witness": 0.2, "prior": 0.09}},
                    "reference": 1,
                    "likeness_to_plain": {"sface": 0.71, "dlib": 0.69},
                    "likeness_to_reference": {"sface": 0.64, "dlib": 0.66},
                }
            ],
            "references": ["serves face 1"],
            "mask": {
                "found": True,
                "confidence": 0.97,
                "proposed": 0.012,
                "pieces": list(EXAMPLE_PIECES),
                "piece_count": 2,
                "hints": [],
            },
            "model_version": "3",
            "arm": "champion",
            "timings": {
                "queue": 0.2,
                "decode": 6.1,
                "mask": 1.0,
                "restore": 512.3,
                "verify": 48.0,
                "encode": 31.5,
                "log": 22.4,
            },
            "kept": False,
            "picture_type": "image/png",
            "picture": EXAMPLE_PNG,
        }
    )


class ProposedMask(Shape):
    """The damage that the service detects in a photo."""

    request_id: str
    found: bool = Field(description="whether any damage is certain")
    confidence: Share | None = Field(description="mean probability that the certain damage is damage")
    area: Share = Field(description="share of the photo with certain damage")
    proposed: Share = Field(description="share of the photo with possible damage")
    note: str = Field(description="what to check before the mask is used; may be empty")
    pieces: tuple[DamagePiece, ...] = Field(description="the largest, by area")
    piece_count: int = Field(ge=0, description="how many there are")
    mask: str = Field(
        description="PNG of the photo's size, base64; white = certain damage, dark grey (96) = possible damage; "
        "if it is sent as `mask`, grey counts as not damaged"
    )
    labels: str = Field(
        description="PNG of the photo's size, 8-bit grey, base64; a pixel's level is the number of its piece in "
        "`pieces`, from 1; of those that are not listed 255 = used, 254 = proposed; 0 = no damage"
    )

    model_config = example(
        {
            "request_id": EXAMPLE_ID,
            "found": True,
            "confidence": 0.97,
            "area": 0.027,
            "proposed": 0.012,
            "note": "what is grey in the mask may be damaged, too",
            "pieces": list(EXAMPLE_PIECES),
            "piece_count": 2,
            "mask": EXAMPLE_PNG,
            "labels": EXAMPLE_PNG,
        }
    )
