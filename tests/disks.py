"""A small file system of its own that a test can fill, where the machine allows one to be mounted."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEBIBYTES = 8


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty tmpfs of 8 MiB; the test is skipped where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={MEBIBYTES}m", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    """Mount a folder once more, read-only, beside it; the test is skipped where mounting is not allowed."""
    seen = place.with_name(f"{place.name} read-only")
    seen.mkdir()
    for options in ("bind", "remount,bind,ro"):
        _mount("-o", options, str(place), str(seen))
    try:
        yield seen
    finally:
        subprocess.run(["umount", "--lazy", str(seen)], check=True)


def _mount(*arguments: str) -> None:
    try:
        mounted = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this machine has no `mount`")
    if mounted.returncode:
        pytest.skip(f"this machine mounts no file system for a test: {mounted.stderr.strip()}")


def fill(place: Path) -> None:
    """Write a file `ballast` until nothing more fits."""
    with (place / "ballast").open("ab", buffering=0) as stream:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    stream.write(b"\0" * size)
            except OSError:
                continue
