"""Cache objects on disk: interrupted downloads continue, and completed comparisons are recorded."""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from botocore.exceptions import FlexibleChecksumError
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.project.files import write_text
from pipeline.project.object_store import Client

_BLOCK = 2**20
Verified = Literal["sha256", "md5", "size"]


@dataclass(frozen=True)
class Stored:
    """One object as the bucket's listing has it; `etag` without quotes, `size` in bytes."""

    bucket: str
    key: str
    size: int
    etag: str


class Receipt(BaseModel):
    """What a cached file is a copy of, and how that was checked.

    `sha256`: the checksum that S3 keeps. `md5`: the ETag of an object uploaded in one part.
    `size`: neither was there to compare. `content`: SHA-256 of the file as it was when it was compared.
    """

    model_config = ConfigDict(frozen=True)

    bucket: str
    key: str
    size: int
    etag: str
    verified: Verified
    content: str


def fetch(client: Client, stored: Stored, cache: Path) -> Path | None:
    """Fetch the object as a file below `cache`; None if its checksum was wrong twice.

    A whole file with a receipt is not asked for again, as long as size and ETag in the listing stay and the file is
    still what was compared; a part of a file is continued by a range request, on the condition that the object has not
    changed.
    """
    place = cache / "s3" / hashlib.sha256(f"{stored.bucket}/{stored.key}".encode()).hexdigest()[:32]
    target, receipt = place.with_suffix(".bin"), place.with_suffix(".json")
    if target.is_file() and _matches(target, receipt, stored):
        return target
    part = place.with_name(f"{place.name}.{_safe(stored.etag)}.part")
    verified = _fetch_once(client, stored, part) or _fetch_once(client, stored, part)
    if verified is None:
        return None
    content = _digest(part, "sha256").hex()
    part.replace(target)
    write_text(receipt, Receipt(**vars(stored), verified=verified, content=content).model_dump_json(indent=1))
    return target


def _fetch_once(client: Client, stored: Stored, part: Path) -> Verified | None:
    """Complete `part` and compare it; a wrong one is deleted."""
    try:
        verified = _verify(part, stored, _download(client, stored, part))
    except FlexibleChecksumError:  # botocore compares too where it sees the whole object
        verified = None
    if verified is None:
        part.unlink(missing_ok=True)
    return verified


def _matches(target: Path, receipt: Path, stored: Stored) -> bool:
    """Compare a cached file with its receipt and, where it was compared with the listed ETag, with that once more."""
    try:
        known = Receipt.model_validate_json(receipt.read_bytes())
    except (FileNotFoundError, ValidationError):
        return False
    if known.model_dump(exclude={"verified", "content"}) != vars(stored):
        return False
    if known.verified == "md5" and _verify(target, stored, "") is None:
        return False
    return _digest(target, "sha256").hex() == known.content


def _safe(etag: str) -> str:
    return re.sub(r"[^0-9a-zA-Z-]", "_", etag)[:64]


def _download(client: Client, stored: Stored, part: Path) -> str:
    """Append to `part` what it lacks; returns the object's own SHA-256 in base64, or an empty text."""
    part.parent.mkdir(parents=True, exist_ok=True)
    start = part.stat().st_size if part.exists() else 0
    if start < stored.size or stored.size == 0:
        wanted = {"Range": f"bytes={start}-"} if start else {"ChecksumMode": "ENABLED"}
        answer = client.get_object(Bucket=stored.bucket, Key=stored.key, IfMatch=stored.etag, **wanted)
        _append(answer["Body"], part)
        if not start:
            return str(answer.get("ChecksumSHA256", ""))
    head = client.head_object(Bucket=stored.bucket, Key=stored.key, ChecksumMode="ENABLED")
    return str(head.get("ChecksumSHA256", ""))


def _append(body: Client, part: Path) -> None:
    with part.open("ab") as stream:
        for block in body.iter_chunks(_BLOCK):
            stream.write(block)


def _verify(part: Path, stored: Stored, sha256: str) -> Verified | None:
    """Make the strongest comparison that the object allows; None if that one failed."""
    if part.stat().st_size != stored.size:
        return None
    if sha256 and "-" not in sha256:  # with a dash: a checksum of the checksums of parts
        return "sha256" if _digest(part, "sha256") == base64.b64decode(sha256) else None
    if re.fullmatch(r"[0-9a-f]{32}", stored.etag):
        return "md5" if _digest(part, "md5") == bytes.fromhex(stored.etag) else None
    return "size"


def _digest(part: Path, algorithm: str) -> bytes:
    with part.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).digest()
