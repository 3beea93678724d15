"""Section for the service."""

from pydantic import Field

from pipeline.config.base import Count, Positive, Section, Share


class ReviewParams(Section):
    """From which figures on a restoration is flagged for review, and how many days back."""

    days: Positive
    min_identity_risk: Share
    max_similarity: float = Field(ge=-1.0, le=1.0)


class ServeParams(Section):
    """Limits of the service."""

    workers: Count
    threads: Count
    max_batch: Count
    batch_wait_ms: float = Field(ge=0.0)
    queue: Count
    uploads: Count
    uploads_per_token: Count
    max_references: int = Field(ge=0)
    body_mebibytes: Positive
    json_kibibytes: Positive
    header_seconds: Positive
    body_seconds: Positive
    answer_seconds: Positive
    shutdown_seconds: Positive
    max_faces: Count
    request_mebibytes: Positive
    memory_mebibytes: Positive
    reload_seconds: Positive
    review: ReviewParams

    @property
    def json_bytes(self) -> int:
        """Bytes of a JSON body, at most."""
        return int(self.json_kibibytes * 1024)
