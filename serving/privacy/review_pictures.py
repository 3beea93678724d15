"""Prepare kept pictures for a reviewer: mark the restored one; encode all as base64 or in a ZIP."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping

from models.images import Image
from monitoring.log.rows import LogRow
from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Limits
from restoration.provenance.marking import MarkFacts, Seal, marked

Pictures = Mapping[str, bytes]
"""PNG files by name."""


def marked_pictures(pictures: Pictures, row: LogRow, limits: Limits, seal: Seal) -> Pictures:
    """Mark `restored.png` as in the answer: no restored picture is sent without a mark.

    Args:
        pictures: as kept.
        row: of the request, for the marks.
        limits: for reading pictures.
        seal: signs the mark.
    """
    damaged, restored = (_read(pictures.get(name, b""), limits) for name in ("damaged.png", "restored.png"))
    if damaged is None or restored is None:
        return pictures
    share = float((damaged != restored).any(axis=-1).mean())
    origin = hashlib.sha256(pictures["damaged.png"]).hexdigest()
    generated = row.generated is not False  # rows without it are taken for generated
    facts = MarkFacts(row.model_version, row.mode, row.request_id, share, origin, veil=row.veil, generated=generated)
    return {**pictures, "restored.png": marked(restored, "png", facts, seal)}


def in_base64(pictures: Pictures) -> dict[str, str]:
    """Encode pictures for JSON."""
    return {name: base64.b64encode(content).decode("ascii") for name, content in pictures.items()}


def zipped(pictures: Pictures) -> bytes:
    """Make a ZIP, not deflated: pictures are compressed already."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _read(data: bytes, limits: Limits) -> Image | None:
    outcome = read_bytes(data, limits)
    return outcome.image if isinstance(outcome, Accepted) else None
