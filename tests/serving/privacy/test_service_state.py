"""With LIKENESS_SERVICE_STATE the service writes there, and leaves production as it was."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import ensure_production
from serving.assemble import assemble
from tests.conftest import ROOT
from tests.serving.arms import polling
from tests.serving.site import Site, both_ways, form


@pytest.fixture
def apart(surroundings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Path]]:
    """A service over state/production of a project, and its folder."""
    project, folder = tmp_path / "project", tmp_path / "service"
    project.mkdir()
    shutil.copy(ROOT / "params.yaml", project)
    monkeypatch.setenv("LIKENESS_SERVICE_STATE", str(folder))
    production = Paths(ensure_production(Paths(project)))
    (production.root / "state" / "drift").mkdir()
    service = assemble(production, polling(3600))
    with both_ways(service) as site:
        yield site, folder
    service.close()


def below(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What lies below a folder: mode, time and size by name. Links are not followed."""
    every = [folder, *folder.rglob("*")]
    return {str(path): ((found := path.lstat()).st_mode, found.st_mtime_ns, found.st_size) for path in every}


def test_a_service_writes_to_its_own_folder_alone(apart: tuple[Site, Path]) -> None:
    site, folder = apart
    project = site.paths.home.root
    before = below(project)
    with site.client("admin") as client:
        given = {"subject": "somebody", "keep_basis": "consent", "picture": "none"}
        answer = client.post("/v1/restorations", files=form(), data=given).json()
        name = f"/v1/restorations/{answer['request_id']}"
        assert answer["kept"]
        assert client.post(f"{name}/feedback", json={"recognised": True}).is_success
        assert len(client.get(f"{name}/pictures").json()["pictures"]) == 3
        assert client.post(f"{name}/review", json={"same_person": True, "invented": []}).is_success
        pages = ("/", "/status", "/v1/status", "/metrics", "/review", "/v1/reviews", "/readyz")
        assert {client.get(page).status_code for page in pages} == {200}
        kept = {path.name for path in (folder / "kept").iterdir()}
        assert client.delete("/v1/subjects/somebody").json() == {"deleted": 1}
    assert below(project) == before
    assert len(kept) == 1
    assert {"keys", "kept", "production.sqlite", "served.json", "subjects.sqlite", "tokens.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert folder.stat().st_mode & 0o077 == 0
