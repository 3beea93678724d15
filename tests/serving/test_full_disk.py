"""On a full disk a request is refused whole: nothing of it stays, nobody is told a path, and operators see it."""

import re
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitoring.status.storage import StorageWatch
from pipeline.project.paths import Paths
from serving.assemble import assemble
from serving.metrics.storage import StorageCollector
from tests.conftest import ROOT
from tests.disks import fill, small_disk  # noqa: F401 - fixture
from tests.serving.arms import polling
from tests.serving.site import Site, both_ways, form

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KEEP = {"subject": "ann", "keep_basis": "consent, form 7", "picture": "none"}


def kept_files(site: Site) -> list[Path]:
    return sorted(path for path in site.paths.kept.rglob("*") if path.is_file())


def refused(answer: httpx.Response, site: Site) -> dict[str, Any]:
    """The problem in an answer that refuses a request without a word about the service's files."""
    assert answer.status_code in (503, 507)
    problem: dict[str, Any] = answer.json()
    assert problem["code"] in ("storage", "storage_full")
    for inside in (str(site.paths.root), "sqlite", "state/", "audit", "move"):
        assert inside not in answer.text
    return problem


def restore(client: httpx.Client, data: dict[str, str]) -> httpx.Response:
    return client.post("/v1/restorations", files=form(), data=data)


def figure(site: Site, name: str) -> float | None:
    return site.service.metrics.registry.get_sample_value(name)


@pytest.fixture
def on_small_disk(site: Site, small_disk: Path) -> Iterator[Site]:  # noqa: F811 - fixture
    """A service whose state is on a file system of 8 MiB."""
    paths = Paths(small_disk)
    shutil.copy(ROOT / "params.yaml", paths.root)
    paths.keys.mkdir(parents=True)
    shutil.copy(site.paths.keys / "derived.key", paths.keys)  # the graph need not be exported again
    service = assemble(paths, polling(3600))
    with both_ways(service) as found:
        yield found
    service.close()


def test_a_full_disk(on_small_disk: Site) -> None:
    site, log = on_small_disk, on_small_disk.service.context.log
    with site.client("admin") as client:
        first = restore(client, KEEP).json()
        assert first["kept"]
        assert client.get("/readyz").json()["ready"]
        before, entries = kept_files(site), log.head()
        fill(site.paths.root)
        identity = f"/v1/restorations/{first['request_id']}"
        for data in (KEEP, {"picture": "none"}):
            problem = refused(restore(client, data), site)
            assert "free space" in problem["remedy"]
        said = client.post(f"{identity}/feedback", json={"recognised": True})
        assert refused(said, site)["code"] == "storage_full"
        assert kept_files(site) == before
        assert log.head() == entries
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"], ready.json()["storage_full"]) == (503, False, True)
        assert client.get("/healthz").status_code == 200  # a restart would not help
        assert figure(site, "likeness_storage_full") == 1
        assert (figure(site, "likeness_storage_free_bytes") or 0) < 2**20
        shown = client.get("/v1/status").json()
        assert shown["light"] == "alarm"
        assert "The disk is full" in shown["headline"][0]
        page = client.get("/status").text
        assert "Act now" in page
        assert "Free space on the disk of <code>state/</code>" in page
        assert str(site.paths.root) not in page + str(shown)
        looked = client.get(f"{identity}/pictures")  # may not be sent without an entry
        refused(looked, site)
        (site.paths.root / "ballast").unlink()
        assert client.get("/readyz").json()["ready"]
        assert restore(client, KEEP).json()["kept"]
        assert figure(site, "likeness_storage_full") == 0
        assert client.delete("/v1/subjects/ann").json() == {"deleted": 2}
    assert log.verify().whole


def test_somebody_can_be_deleted_on_a_full_disk(on_small_disk: Site) -> None:
    """Their pictures make the room that the entry about the deletion needs."""
    site = on_small_disk
    with site.client("admin") as client:
        for _ in range(2):
            assert restore(client, KEEP).json()["kept"]
        fill(site.paths.root)
        answers = [client.delete("/v1/subjects/ann").status_code for _ in range(2)]
    assert answers[-1] == 200
    assert kept_files(site) == []
    assert not site.service.context.pictures.knows("ann")
    assert site.service.context.log.verify().whole


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let this process write no file beyond a size, as under a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("data", [KEEP, {"picture": "none"}], ids=["kept", "not kept"])
def test_a_quota_that_is_used_up(data: dict[str, str], site: Site) -> None:
    """Without any privilege: the log, or the pictures, meet a limit while the disk has room."""
    log, storage = site.service.context.log, site.service.context.storage
    before, entries = kept_files(site), log.head()
    with site.client() as client:
        with files_of_at_most(4096):
            refused(restore(client, data), site)
        assert kept_files(site) == before
        assert log.head() == entries
        assert client.get("/readyz").status_code == 503
        assert figure(site, "likeness_storage_full") == 1
        assert client.get("/v1/status").json()["storage"]["full"]
        assert restore(client, {"picture": "none"}).status_code == 200
        assert client.get("/readyz").status_code == 200
    assert not storage.full()
    assert log.verify().whole


def test_pictures_stay_only_with_an_entry_in_the_log(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures fit and the entry does not: they go again."""
    from monitoring.log.production_log import ProductionLog

    before, log = kept_files(site), site.service.context.log

    def full(*_: object) -> None:
        assert len(kept_files(site)) > len(before)  # the pictures were there
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ProductionLog, "append_kept", full)
    with site.client() as client:
        answer = restore(client, KEEP)
        monkeypatch.undo()
        assert refused(answer, site)["code"] == "storage_full"
        assert kept_files(site) == before
        assert not log.has("keeping", answer.json()["request_id"])
        assert restore(client, {"picture": "none"}).status_code == 200


def test_a_failed_write_counts_until_one_succeeds_or_its_time_is_over(tmp_path: Path) -> None:
    watch = StorageWatch([tmp_path / "not" / "yet"], hold=3600)
    assert not watch.full()
    watch.note_failure()
    assert watch.full()
    watch.note_success()
    assert not watch.full()
    brief = StorageWatch([tmp_path], hold=0.0)
    brief.note_failure()
    assert not brief.full()
    assert {metric.name: metric.samples[0].value for metric in StorageCollector(watch).collect()}[
        "likeness_storage_full"
    ] == 0


def test_the_documentation_names_the_status(site: Site) -> None:
    with httpx.Client(base_url=site.url) as client:
        paths = client.get("/openapi.json").json()["paths"]
    writing = [route for path in paths.values() for method, route in path.items() if method in ("post", "delete")]
    assert sum("507" in route["responses"] for route in writing) == len(writing) - 1  # /v1/masks writes nothing
    assert re.search("disk of the service", str(paths))
