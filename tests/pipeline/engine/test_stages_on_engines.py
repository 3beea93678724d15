"""Stages on several processes: the same bytes as in one, whatever dies, and objects that the driver never sees."""

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from urllib3.connection import HTTPConnection
from werkzeug.serving import WSGIRequestHandler

from pipeline.config.load import load_params
from pipeline.engine.in_process import InProcess
from pipeline.engine.interface import Engine, Item, Result, Shard
from pipeline.engine.local import Processes
from pipeline.evaluation.run import evaluate_methods
from pipeline.face_sampler.generate import portraits
from pipeline.ingest import IngestReport, ingest
from pipeline.masks import masks
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.faces import mean_landmarks
from tests.pipeline.engine.benches import TeleaOnSampled
from tests.pipeline.engine.killed import KillsAWorkerOnce
from tests.s3 import BUCKET, client, server

__all__ = ["client", "server"]
SMALL = 3


@pytest.fixture(scope="module")
def engine() -> Iterator[Processes]:
    engine = Processes(2, SMALL, retries=2)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine portraits, two of them again in another shard, one no picture and one without a face."""
    folder = tmp_path_factory.mktemp("photos")
    sampler = load_params(ROOT / "params.yaml").data.sampler.model_copy(update={"identities": 3, "views": 3})
    for item in portraits(sampler):
        Image.fromarray(item.image).save(folder / f"{item.identity}_{item.view}.png")
    first, second = sorted(folder.glob("*.png"))[:2]
    (folder / "zz_1.png").write_bytes(first.read_bytes())
    (folder / "zz_2.png").write_bytes(second.read_bytes())
    (folder / "text_1.png").write_text("no picture")
    Image.new("RGB", (128, 128), "grey").save(folder / "grey_1.png")
    return folder


def run(root: Path, engine: Engine, **data: object) -> IngestReport:
    params = load_params(ROOT / "params.yaml", {f"data.{key}": value for key, value in data.items()})
    return ingest(data=params.data, ingest=params.ingest, identity=params.identity, paths=Paths(root), engine=engine)


def written(root: Path) -> dict[str, bytes]:
    folder = Paths(root).portraits
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_ingest_writes_the_same_bytes_in_one_and_two_processes_one_of_them_killed(
    photos: Path, engine: Processes, tmp_path: Path
) -> None:
    place = {"source": "folder", "location": str(photos), "identity_pattern": "^(.+)_"}
    one = run(tmp_path / "one", InProcess(64), **place)
    killing = KillsAWorkerOnce(engine, tmp_path / "killed")
    several = run(tmp_path / "several", killing, **place)
    assert killing.killed()
    assert written(tmp_path / "several") == written(tmp_path / "one")
    assert several == one.model_copy(update={"seconds": several.seconds})
    assert (one.accepted, one.duplicates, one.quarantined) == (9, 2, {"no_face": 1, "unsupported_format": 1})


def test_portraits_of_the_sampler_are_drawn_where_they_are_read(tmp_path: Path) -> None:
    """What a worker gets of a portrait is its number; it draws the same picture."""
    people = {"source": "sampler", "sampler.identities": 3, "sampler.views": 3}
    weighed = Weighed(Pickled(SMALL))
    run(tmp_path / "pickled", weighed, **people)
    run(tmp_path / "one", InProcess(64), **people)
    assert written(tmp_path / "pickled") == written(tmp_path / "one")
    assert max(weighed.bytes_out) < 6000


def test_masks_are_the_same_in_one_and_two_processes(engine: Processes, tmp_path: Path) -> None:
    """Kinds and buckets are shared out over all portraits, whatever shard these are in."""
    params = load_params(ROOT / "params.yaml", {"ingest.image_size": 64, "masks.evaluation.per_portrait": 2})
    folders, engines = {}, dict[str, Engine](one=InProcess(64), two=engine)
    for name, given in engines.items():
        paths = Paths(tmp_path / name)
        write_portraits(paths, 10)
        masks(masks=params.masks, ingest=params.ingest, paths=paths, engine=given)
        folders[name] = {file.name: file.read_bytes() for file in paths.masks.iterdir()}
    assert len(folders["one"]) == 10 * 2 * 2 + 1
    assert folders["two"] == folders["one"]


def write_portraits(paths: Paths, count: int) -> None:
    paths.portraits.mkdir(parents=True)
    landmarks = [mean_landmarks(64).astype(np.float32).ravel().tolist()] * count
    columns = {"portrait_id": [f"{n:016x}" for n in range(count)], "split": ["test"] * count, "landmarks": landmarks}
    pq.write_table(pa.table(columns), paths.portrait_rows)


def test_evaluation_is_the_same_in_one_and_two_processes(engine: Processes, tmp_path: Path) -> None:
    """Batches are the same whatever shard they are in, so figures are equal to the bit, but for measured times."""
    params = load_params(ROOT / "params.yaml", {"evaluate.bootstrap": 50, "evaluate.batch_size": 2}).evaluate
    rows, reports, engines = {}, {}, dict[str, Engine](one=InProcess(64), two=engine)
    for name, given in engines.items():
        file = tmp_path / f"{name}.parquet"
        reports[name] = evaluate_methods(TeleaOnSampled(5), params, file, {}, given)
        rows[name] = pd.read_parquet(file).drop(columns="milliseconds")
    pd.testing.assert_frame_equal(rows["two"], rows["one"], check_exact=True)
    untimed = {name: report.model_copy(update={"latency_ms": {}}) for name, report in reports.items()}
    assert untimed["two"] == untimed["one"]
    assert (reports["one"].masks, reports["one"].portraits) == (6, 5)


@dataclass(frozen=True)
class Pickled:
    """An engine in this process that gives the function what another process would get."""

    shard_rows: int

    def map_shards(self, function: Callable[[Shard[Item]], Result], shards: Iterable[Shard[Item]]) -> Iterator[Result]:
        for shard in shards:
            there, given = pickle.loads(pickle.dumps((function, shard)))
            yield pickle.loads(pickle.dumps(there(given)))


@dataclass
class Weighed:
    """An engine that weighs what is pickled for each shard, and what comes back."""

    engine: Engine
    bytes_out: list[int] = field(default_factory=list)
    bytes_back: list[int] = field(default_factory=list)

    @property
    def shard_rows(self) -> int:
        return self.engine.shard_rows

    def map_shards(self, function: Callable[[Shard[Item]], Result], shards: Iterable[Shard[Item]]) -> Iterator[Result]:
        for result in self.engine.map_shards(function, self._weigh(function, shards)):
            self.bytes_back.append(len(pickle.dumps(result)))
            yield result

    def _weigh(self, function: Any, shards: Iterable[Shard[Item]]) -> Iterator[Shard[Item]]:
        for shard in shards:
            self.bytes_out.append(len(pickle.dumps((function, shard))))
            yield shard


def test_objects_of_s3_go_to_workers_and_not_through_the_driver(
    client: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker asks for the objects, each once; what the driver sends and gets is far smaller than one of them."""
    for path in photos.iterdir():
        client.put_object(Bucket=BUCKET, Key=f"people/{path.name}", Body=path.read_bytes())
    requests = RequestLog(monkeypatch)
    worker = Processes(1, SMALL, retries=0)
    weighed = Weighed(worker)
    place = {"source": "s3", "location": f"s3://{BUCKET}/people", "identity_pattern": "^(.+)_"}
    report = run(tmp_path / "s3", weighed, **place)
    worker.close()
    assert (report.accepted, report.duplicates, report.files_in) == (9, 2, 13)
    assert requests.agents_of("GET", "/people/") == Counter({"worker": 13})
    assert requests.agents_of("GET", "?list-type") == Counter({"driver": 1})
    smallest = min(path.stat().st_size for path in photos.glob("sampler*.png"))
    assert max(weighed.bytes_out) < smallest / 4
    assert max(weighed.bytes_back) / SMALL < smallest / 4


class RequestLog:
    """Requests that reach the S3 server in this process, and whether this process or another one has sent them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._seen: list[tuple[str, str, int]] = []
        handler = WSGIRequestHandler.log_request

        def note(request: WSGIRequestHandler, *arguments: Any) -> None:
            self._seen.append((request.command, request.path, request.client_address[1]))
            handler(request, *arguments)

        self._own = own_ports(monkeypatch)
        monkeypatch.setattr(WSGIRequestHandler, "log_request", note)

    def agents_of(self, method: str, part: str) -> Counter[str]:
        """Count the senders of requests whose path contains `part`."""
        seen = [port for command, path, port in self._seen if command == method and part in path]
        return Counter("driver" if port in self._own else "worker" for port in seen)


def own_ports(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Collect the ports that connections of this process leave from."""
    ports: set[int] = set()
    connect = HTTPConnection.connect

    def noting(connection: HTTPConnection) -> None:
        connect(connection)
        ports.add(connection.sock.getsockname()[1])

    monkeypatch.setattr(HTTPConnection, "connect", noting)
    return ports
