"""Read the same pictures from an S3 server as single objects, as tar shards and as Parquet shards."""

import io
import multiprocessing
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits
from pipeline.image_io.write import png_bytes
from pipeline.project.object_store import Client, connect

_BUCKET = "shards"
_VIEWS = 4
_DIFFERENT = 64
"""Pictures that are drawn; the rest are these again under other names."""


def measure_formats(count: int, shard: int) -> Iterator[str]:
    """Yield a line of a table for each format: requests, MB/s, ms a picture, and of a pass over the labels alone."""
    pictures = _pictures(count)
    size = sum(len(picture) for _, picture in pictures)
    groups = [pictures[start : start + shard] for start in range(0, count, shard)]
    with _server() as endpoint:
        client = connect()
        client.create_bucket(Bucket=_BUCKET)
        for name, picture in pictures:
            client.put_object(Bucket=_BUCKET, Key=f"single/{name}.png", Body=picture)
        for number, group in enumerate(groups):
            client.put_object(Bucket=_BUCKET, Key=f"{number}.tar", Body=_tar(group))
            client.put_object(Bucket=_BUCKET, Key=f"{number}.parquet", Body=_parquet(group))
        readers: dict[str, tuple[int, Callable[[], int], Callable[[], int]]] = {
            "single objects": (count, lambda: _read_single(client, pictures), lambda: _read_single(client, pictures)),
            "tar": (len(groups), lambda: _read_tars(client, len(groups)), lambda: _read_tars(client, len(groups))),
            "Parquet": (
                len(groups), lambda: _read_parquet(client, len(groups)), lambda: _read_labels(endpoint, len(groups)),
            ),
        }  # fmt: skip
        for name, (requests, read, labels) in readers.items():
            seconds, read_bytes = _timed(read)
            assert read_bytes == size, (name, read_bytes, size)
            alone = _timed(labels)[0]
            each = 1000 / count
            yield f"| {name} | {requests} | {size / seconds / 1e6:.0f} | {seconds * each:.3f} | {alone * each:.3f} |"


def _timed(read: Callable[[], int]) -> tuple[float, int]:
    best, result = float("inf"), 0
    for _ in range(3):  # the machine has other work: the best of three
        started = time.monotonic()
        result = read()
        best = min(best, time.monotonic() - started)
    return best, result


def _pictures(count: int) -> list[tuple[str, bytes]]:
    params = SamplerParams(identities=_DIFFERENT // _VIEWS, views=_VIEWS, seed=1, population=EVERYBODY)
    drawn = [png_bytes(portrait.image) for portrait in portraits(params)]
    return [(f"{number:07d}", drawn[number % len(drawn)]) for number in range(count)]


def _tar(group: list[tuple[str, bytes]]) -> bytes:
    """Pack as WebDataset does: files of one sample share a name, and follow each other."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, picture in group:
            for suffix, content in (("png", picture), ("cls", b"7")):
                entry = tarfile.TarInfo(f"{name}.{suffix}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _parquet(group: list[tuple[str, bytes]]) -> bytes:
    table = pa.table(
        {"name": [name for name, _ in group], "label": np.full(len(group), 7), "png": [picture for _, picture in group]}
    )
    stream = io.BytesIO()
    pq.write_table(table, stream, compression={"name": "zstd", "label": "zstd", "png": "none"}, use_dictionary=["name"])
    return stream.getvalue()


def _read_single(client: Client, pictures: list[tuple[str, bytes]]) -> int:
    answers = (client.get_object(Bucket=_BUCKET, Key=f"single/{name}.png")["Body"].read() for name, _ in pictures)
    return sum(len(answer) for answer in answers)


def _read_tars(client: Client, shards: int) -> int:
    total = 0
    for number in range(shards):
        body = client.get_object(Bucket=_BUCKET, Key=f"{number}.tar")["Body"]
        with tarfile.open(fileobj=body, mode="r|") as tar:
            for entry in tar:
                if entry.name.endswith(".png") and (file := tar.extractfile(entry)):
                    total += len(file.read())
    return total


def _read_parquet(client: Client, shards: int) -> int:
    total = 0
    for number in range(shards):
        content = client.get_object(Bucket=_BUCKET, Key=f"{number}.parquet")["Body"].read()
        column = pq.read_table(io.BytesIO(content), columns=["png"])["png"]
        total += sum(len(picture.as_buffer()) for chunk in column.chunks for picture in chunk)
    return total


def _read_labels(endpoint: str, shards: int) -> int:
    """Read one column by range requests."""
    store = pyarrow.fs.S3FileSystem(
        access_key="test", secret_key="test", endpoint_override=endpoint, region="us-east-1",  # noqa: S106 - of the server below
    )  # fmt: skip
    return sum(
        pq.read_table(f"{_BUCKET}/{number}.parquet", filesystem=store, columns=["label"]).num_rows
        for number in range(shards)
    )


@contextmanager
def _server() -> Iterator[str]:
    """Start a server in a process of its own, and lead this one to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    endpoint = str(ours.recv())
    for name, value in {
        "LIKENESS_S3_ENDPOINT": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        os.environ[name] = value
    try:
        yield endpoint
    finally:
        process.kill()


def _serve(connection: Connection) -> None:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    connection.send(f"http://{host}:{port}")
    connection.recv()
