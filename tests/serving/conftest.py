"""One small service for all tests of this folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.project.paths import Paths
from serving.assemble import assemble
from serving.service import Service
from tests.conftest import ROOT
from tests.models.damage_finder.finder_site import red_finder
from tests.serving.arms import polling
from tests.serving.reviewing import Kept
from tests.serving.site import Site, both_ways, small_assets


@pytest.fixture(scope="package")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Small assets, a finder of red and an empty cache for all tests of this folder, and for no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.assets.ASSETS", small_assets(tmp_path_factory.mktemp("assets")))
        patch.setattr("restoration.find_damage.shipped_finder", red_finder)
        patch.setenv("LIKENESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("LIKENESS_MLFLOW_URI", "LIKENESS_LOG_URL", "LIKENESS_LOG_KEY", "LIKENESS_SERVICE_STATE"):
            patch.delenv(name, raising=False)
        yield tmp_path_factory.mktemp("checkout")


@pytest.fixture(scope="package")
def service(surroundings: Path) -> Iterator[Service]:
    """Assembled over an empty checkout; its champion is the small shipped model."""
    shutil.copy(ROOT / "params.yaml", surroundings)
    made = assemble(Paths(surroundings), polling(3600))  # tests that lead the registry elsewhere must not lead this one
    yield made
    made.close()


@pytest.fixture(scope="package")
def site(service: Service) -> Iterator[Site]:
    """That service, running."""
    with both_ways(service) as found:
        yield found


@pytest.fixture
def kept(site: Site) -> Iterator[Kept]:
    """Keeps restorations for one test."""
    made = Kept(site)
    yield made
    made.forget()
