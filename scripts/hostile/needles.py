"""Search files and answers for bytes that must not be there, in the forms in which programs write bytes."""

import base64
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_SHORTEST = 8


def forms_of(secret: bytes) -> Iterator[bytes]:
    """Give a secret as it is, in hexadecimal digits, in base64 at each of its offsets, and as JSON escapes it."""
    if len(secret) < _SHORTEST:
        raise ValueError(f"expected at least {_SHORTEST} bytes, which nothing holds by chance; got {len(secret)}")
    yield secret
    yield from (secret.hex().encode(), secret.hex().upper().encode())
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + secret)
        yield coded[4 if offset else 0 : len(coded) - 4]
    yield secret.decode("latin-1").encode("unicode_escape")


def found_in(content: bytes, needles: Mapping[str, bytes]) -> list[str]:
    """Name the needles of which any form lies in a content."""
    return [name for name, secret in needles.items() if any(form in content for form in forms_of(secret))]


def found_below(folder: Path, needles: Mapping[str, bytes], admitted: Iterable[Path] = ()) -> list[str]:
    """Name the files below a folder that hold a needle, or have one in their name; each with the needle's name."""
    left_out, misses = tuple(admitted), list[str]()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or any(path.is_relative_to(place) for place in left_out):
            continue
        content = path.name.encode("utf-8", "surrogateescape") + (b"\n" + path.read_bytes() if path.is_file() else b"")
        misses += [f"{name} in {path.relative_to(folder)}" for name in found_in(content, needles)]
    return misses


def found_in_backup(file: Path, needles: Mapping[str, bytes]) -> list[str]:
    """Name the members of an archive that hold a needle."""
    misses = []
    with tarfile.open(file) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() else None
            content = member.name.encode() + b"\n" + (stream.read() if stream else b"")
            misses += [f"{name} in {member.name}" for name in found_in(content, needles)]
    return misses
