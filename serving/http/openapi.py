"""Parts of the OpenAPI document that FastAPI cannot derive: forms, picture answers, and examples of errors."""

from typing import Any, get_args

from restoration.modes import RequestedMode
from serving.http.connection import REQUEST_ID
from serving.http.errors import MEDIA_TYPE
from serving.http.request_form import PICTURE_TYPES, ZIP
from serving.schemas.records import FeedbackGiven
from serving.schemas.restorations import EXAMPLE_ID, PictureWish, Problem
from serving.schemas.reviews import ReviewGiven

Answers = dict[int | str, dict[str, Any]]

_FILE = {"type": "string", "format": "binary"}
_ERRORS: dict[int, tuple[str, str, str, str, str]] = {
    401: ("No valid token", "no_token", "a token", "none", "send Authorization: Bearer with a token"),
    403: ("The token's role does not suffice", "role", "a token with the role admin", "restore", "ask the operator"),
    404: ("No such request", "unknown_request", "the id of a logged request", EXAMPLE_ID, "use that of the answer"),
    406: ("Nothing that Accept admits", "not_acceptable", "Accept to admit one of application/json, image/png",
          "text/html", "accept one of these"),
    408: ("The body came too slowly", "slow_body", "the body within 20 s", "1024 bytes, then none", "send it faster"),
    410: ("The pictures were kept and are now deleted or expired", "gone", "pictures that are still kept",
          "deleted or expired ones", "go on with the next"),
    413: ("The body is too large", "too_large", "at most 41943040 bytes", "50000000 bytes", "send smaller pictures"),
    422: ("A picture, a mask or a field that cannot be used, or a photo refused where a picture was wanted", "corrupt",
          "a readable picture as image", "no readable JPEG header", "send another file"),
    429: ("The queue is full; Retry-After says when to come again", "queue_full", "room for one more photo",
          "18 photos before this one", "come again in 9 s"),
    500: ("An error of the service", "fault", "an outcome", "a fault of the service", "tell the operator its id"),
    503: ("No outcome in time, or a store that does not answer", "too_late", "an outcome within 60 s", "none yet",
          "come again"),
    507: ("The disk of the service is full: nothing can be logged, so nothing is done", "storage_full",
          "room on the disk of the service", "none left", "tell the operator to free space, then send it again"),
}  # fmt: skip

RESTORATION_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "additionalProperties": False,
                    "properties": {
                        "image": _FILE | {"description": "JPEG, PNG, WebP, TIFF or BMP"},
                        "mask": _FILE
                        | {"description": "of the photo's size, white = missing; without it, damage is detected"},
                        "references": {
                            "type": "array",
                            "items": _FILE,
                            "description": "intact photos of the same person",
                        },
                        "mode": {"type": "string", "enum": list(get_args(RequestedMode)), "default": "auto"},
                        "strength": {
                            "type": "number",
                            "minimum": 0,
                            "maximum": 1,
                            "default": 1,
                            "description": "share of what the face model fills; the rest is the classical fill",
                        },
                        "fade": {
                            "type": "boolean",
                            "default": False,
                            "description": "also lift fading and yellowing from the whole photo; then `mask` may be "
                            "all black: nothing is filled",
                        },
                        "subject": {
                            "type": "string",
                            "description": "your id of the person, 1 to 200 characters; stored as a pseudonym",
                        },
                        "keep_basis": {
                            "type": "string",
                            "description": "legal basis to keep the pictures for training and review; needs `subject`",
                        },
                        "picture": {
                            "type": "string",
                            "enum": list(get_args(PictureWish)),
                            "default": "png",
                            "description": "of the picture in JSON and ZIP",
                        },
                        "repeats": {
                            "type": "string",
                            "pattern": f"^{REQUEST_ID}$",
                            "description": "request_id of an earlier restoration of the same photo: "
                            "the same arm of an A/B test does it again",
                        },
                    },
                },
                "example": {"image": "(bytes of portrait.jpg)", "mask": "(bytes of mask.png)", "mode": "auto"},
            }
        },
    }
}
MASK_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["image"], "properties": {"image": _FILE}},
                "example": {"image": "(bytes of portrait.jpg)"},
            }
        },
    }
}
FEEDBACK_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": FeedbackGiven.model_json_schema()}}}
}
REVIEW_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ReviewGiven.model_json_schema()}}}
}
STORED_PICTURES: Answers = {
    200: {
        "description": "Base64 in JSON, or a ZIP of the same files, as Accept asks",
        "content": {ZIP: {"schema": _FILE}},
    }
}
PICTURES: Answers = {
    200: {
        "description": "The outcome, as Accept asks: figures with the picture in base64, the marked picture with "
        "figures in X-Likeness-* headers, or a ZIP of restored picture, original and outcome.json. A photo "
        "without certain damage is returned unchanged and unmarked (mode `unchanged`), or with its fading lifted alone "
        "(mode `fade`)",
        "content": {name: {"schema": _FILE} for name in (*PICTURE_TYPES, ZIP)},
        "links": {
            name: {"operationId": operation, "parameters": {"id": "$response.body#/request_id"}}
            for name, operation in (
                ("outcome", "read_an_outcome_v1_restorations__id__get"),
                ("feedback", "give_feedback_v1_restorations__id__feedback_post"),
            )
        },
    }
}


def problems(*statuses: int) -> Answers:
    """Document the errors of a route, each with an example."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    description, code, expected, got, remedy = _ERRORS[status]
    shown = Problem(status=status, code=code, expected=expected, got=got, remedy=remedy, request_id=EXAMPLE_ID)
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema(), "example": shown.model_dump()}}
    return {"description": description, "content": content}
