"""Store kept pictures in a folder or below a prefix of an S3 bucket, behind one small interface."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from models.errors import DataError, ServiceUnavailable
from pipeline.project.files import private_folder
from pipeline.project.storage import full_disk_in_words

_TRIES = 100
"""How often a file is written, or a folder deleted, while others delete or write there."""
_MEANWHILE = frozenset({errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST})
_DEPTH = 2
"""Slashes in the key of a file."""
_AT_ONCE = 1000  # more S3 does not delete in one call
_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}(/[0-9A-Za-z_-]{1,64}(/[0-9a-z-]{1,32}\.[a-z]{3,4})?)?")


class Store(Protocol):
    """Keys are `person`, `person/record` or `person/record/name.ext`; nothing else is a key."""

    def put(self, key: str, content: bytes) -> None: ...

    def get(self, key: str) -> bytes | None: ...

    def names(self, person: str = "") -> Iterator[str]: ...

    def delete(self, prefix: str) -> None: ...


def open_store(location: str, root: Path, key: str) -> Store:
    """Open the store at `location`: `s3://bucket/prefix`, or a folder, relative to `root` unless absolute.

    Args:
        location: as in params.yaml.
        root: of the project.
        key: of params.yaml, for messages.

    Raises:
        DataError: an address that is none.
    """
    if location.startswith("s3://"):
        return BucketStore(location, key)
    return FolderStore(root / Path(location).expanduser())


def checked(key: str) -> str:
    """Check a key: letters, digits and two signs, so that none leads out of the store.

    Raises:
        DataError: it is not.
    """
    if not _KEY.fullmatch(key):
        raise DataError("a key of letters, digits, - and _", repr(key)[:80], "use the ids that the service gave")
    return key


class FolderStore:
    """Files that only their owner reads, below a folder that may not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        """Write one file, whole or not at all.

        Raises:
            StorageFull: no room for it.
        """
        with full_disk_in_words("kept pictures"):
            self._put(key, content)

    def _put(self, key: str, content: bytes) -> None:
        path = self._folder / checked(key)
        temporary = path.with_suffix(".tmp")
        try:
            for left in reversed(range(_TRIES)):
                try:
                    private_folder(path.parent)  # the folders' names are pseudonyms
                    temporary.touch(mode=0o600)
                    temporary.write_bytes(content)
                    temporary.replace(path)
                except FileNotFoundError:  # the folder was deleted meanwhile, with the person
                    if not left:
                        raise
                else:
                    return
        finally:
            temporary.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        """Read one file; None if there is none (any more)."""
        path = self._folder / checked(key)
        if not path.is_file() or path.is_symlink():
            return None
        try:
            return path.read_bytes()
        except FileNotFoundError:  # deleted since the look above
            return None

    def names(self, person: str = "") -> Iterator[str]:
        """List the keys of one person or all, sorted; files and links of another make are left out."""
        start = self._folder / checked(person) if person else self._folder
        # what is deleted meanwhile is skipped
        paths = (Path(folder) / name for folder, _, names in os.walk(start) for name in names)
        names = (path.relative_to(self._folder).as_posix() for path in paths if not path.is_symlink())
        yield from sorted(name for name in names if name.count("/") == _DEPTH and _KEY.fullmatch(name))

    def delete(self, prefix: str) -> None:
        """Delete a person or a record with everything in it, also while others write or delete there."""
        place = self._folder / checked(prefix)
        for left in reversed(range(_TRIES)):
            if place.is_symlink() or not place.is_dir():
                break
            try:
                shutil.rmtree(place)
            except OSError as error:
                if error.errno not in _MEANWHILE or not left:
                    raise
        if place.parent != self._folder:
            with suppress(OSError):  # there are other records, or it is gone
                place.parent.rmdir()


class BucketStore:
    """Objects below a prefix; deleting takes every version of an object with it."""

    def __init__(self, location: str, key: str) -> None:
        from pipeline.project import object_store  # boto3 takes half a second to import

        self._bucket, prefix = object_store.address(location, key)
        self._prefix = prefix.rstrip("/") + "/" if prefix else ""
        self._client, self._location, self._key = object_store.connect(), location, key
        self._translated_errors = object_store.translated_errors

    def __reduce__(self) -> tuple[type["BucketStore"], tuple[str, str]]:
        """Pickle the address alone: another process makes a client of its own."""
        return BucketStore, (self._location, self._key)

    def put(self, key: str, content: bytes) -> None:
        """Write one object."""
        with self._translated_errors(self._location):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + checked(key), Body=content)

    def get(self, key: str) -> bytes | None:
        """Read one object; None if there is none (any more)."""
        with self._translated_errors(self._location):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + checked(key))
                return bytes(answer["Body"].read())
            except self._client.exceptions.NoSuchKey:
                return None

    def names(self, person: str = "") -> Iterator[str]:
        """List the keys of one person or all, in order; objects of another make are left out."""
        below = f"{self._prefix}{checked(person)}/" if person else self._prefix
        for entry in self._pages("list_objects_v2", "Contents", below):
            name = entry["Key"].removeprefix(self._prefix)
            if _KEY.fullmatch(name):
                yield name

    def delete(self, prefix: str) -> None:
        """Delete a person or a record with everything in it, old versions too.

        Raises:
            ServiceUnavailable: some of it could not be deleted.
        """
        below = f"{self._prefix}{checked(prefix)}/"
        kinds = ("Versions", "DeleteMarkers")
        versions = [entry for kind in kinds for entry in self._pages("list_object_versions", kind, below)]
        for start in range(0, len(versions), _AT_ONCE):
            some = versions[start : start + _AT_ONCE]
            doomed = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in some]
            with self._translated_errors(self._location):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": doomed, "Quiet": True})
            if answer.get("Errors"):
                got = str(answer["Errors"][0].get("Code"))
                raise ServiceUnavailable(f"to delete what is below {below}", got, "check the permissions and try again")

    def _pages(self, call: str, kind: str, prefix: str) -> Iterator[dict[str, Any]]:
        with self._translated_errors(self._location):
            for page in self._client.get_paginator(call).paginate(Bucket=self._bucket, Prefix=prefix):
                yield from page.get(kind, ())
