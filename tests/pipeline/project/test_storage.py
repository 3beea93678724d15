"""A full disk is recognised whoever reports it, on a disk that is really full where that can be had."""

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import DataError, StorageFull
from pipeline.project.storage import FULL_BYTES, free_bytes, full_disk_in_words, go_on_when_full, is_full
from tests.disks import fill, small_disk  # noqa: F401 - fixture


def test_the_systems_errors_are_told_apart() -> None:
    assert all(is_full(OSError(number, "x")) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    assert not any(is_full(OSError(number, os.strerror(number))) for number in (errno.EACCES, errno.EIO, errno.EROFS))
    assert not is_full(ValueError("a full moon"))


def test_an_error_that_was_caused_by_one_counts() -> None:
    first = OSError(errno.ENOSPC, "No space left on device")
    caused, meanwhile = RuntimeError("could not save"), RuntimeError("could not save")
    caused.__cause__, meanwhile.__context__ = first, RuntimeError("retried")
    meanwhile.__context__.__context__ = first
    assert is_full(caused)
    assert is_full(meanwhile)


def test_errors_in_words_already_stay_as_they_are() -> None:
    with pytest.raises(DataError, match="choose another --out"), full_disk_in_words("pictures"):
        raise DataError("a place to write", "No space left on device", "choose another --out")
    with pytest.raises(ValueError, match="something else"), full_disk_in_words("pictures"):
        raise ValueError("something else")


def write_weights(folder: Path) -> None:
    import torch

    from models.weight_files import write_weights

    write_weights({"w": torch.zeros(1000, 1000)}, {}, folder / "w.safetensors")


def write_table(folder: Path) -> None:
    import numpy as np
    import pandas as pd

    pd.DataFrame(np.random.default_rng(0).random((100_000, 8))).to_parquet(folder / "rows.parquet")


def write_checkpoint(folder: Path) -> None:
    """As Lightning writes one; `torch.save` by itself tells no more than `iostream error`."""
    import torch

    from models.runtime.torchvision_ops import ensure_torchvision_ops

    ensure_torchvision_ops()
    from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

    TorchCheckpointIO().save_checkpoint({"w": torch.zeros(1000, 1000)}, str(folder / "checkpoint.pt"))


def write_picture(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    Image.fromarray(np.random.default_rng(0).integers(0, 255, (1200, 1200, 3), np.uint8)).save(folder / "a.png")


def write_database(folder: Path) -> None:
    table = sqlite3.connect(folder / "a.db")
    try:
        table.execute("CREATE TABLE t (b BLOB)")
        table.execute("INSERT INTO t VALUES (zeroblob(3000000))")
        table.commit()
    finally:
        table.close()


@pytest.mark.parametrize("write", [write_weights, write_table, write_checkpoint, write_picture, write_database])
def test_a_full_disk_is_put_in_words_whichever_library_meets_it(
    write: Callable[[Path], None],
    small_disk: Path,  # noqa: F811 - fixture
) -> None:
    fill(small_disk)
    assert free_bytes(small_disk / "not" / "there") < FULL_BYTES
    words = r"room on the disk for outputs; got .*; free space there"
    with pytest.raises(StorageFull, match=words), full_disk_in_words("outputs"):
        write(small_disk)
    with go_on_when_full("a note"):
        (small_disk / "note").write_bytes(b"x" * 200_000)
    (small_disk / "ballast").unlink()
    assert free_bytes(small_disk) > FULL_BYTES


@pytest.mark.parametrize("name", ["write_weights", "write_table", "write_picture"])
def test_a_limit_on_the_size_of_files_is_put_in_words(name: str, tmp_path: Path) -> None:
    """The same without a full disk: a process that may write no file above 64 KiB."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from pipeline.project.storage import full_disk_in_words\n"
        f"from tests.pipeline.project.test_storage import {name}\n"
        "from models.errors import StorageFull\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n"
        "    with full_disk_in_words('outputs'):\n"
        f"        {name}(Path(sys.argv[1]))\n"
        "except StorageFull as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("expected room on the disk for outputs; got ")
