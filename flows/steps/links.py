"""Addresses of pages that artifacts link to: those of the settings, else those of `likeness up` in this project."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from flows.local.services import addresses
from flows.local.up import is_started, read_running
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages


@dataclass(frozen=True)
class Links:
    """Addresses of the service, of MLflow and of Evidently; "" where there is none."""

    service: str = ""
    mlflow: str = ""
    drift: str = ""

    def status(self) -> str:
        """Address of the status page."""
        return _join(self.service, "status")

    def drift_report(self, page: str) -> str:
        """Address of a window's report; `page`: see `monitoring.drift.results.Drift`."""
        return _join(self.drift, page) if page else ""

    def version(self, name: str, version: str) -> str:
        """Address of a registered version."""
        return _join(self.mlflow, f"#/models/{quote(name)}/versions/{quote(version)}")

    def run(self, paths: Paths, run_id: str, artifact: str = "") -> str:
        """Address of a run in MLflow, or of a file that was logged into it."""
        if not self.mlflow:
            return ""
        client = connect(paths)
        with translate_outages(client.tracking_uri):
            experiment = client.get_run(run_id).info.experiment_id
        below = f"/artifacts/{quote(artifact)}" if artifact else ""
        return _join(self.mlflow, f"#/experiments/{experiment}/runs/{run_id}{below}")


def links(paths: Paths) -> Links:
    """Find the addresses of the pages of a project."""
    set_ = environment()
    served = _served(paths.home)
    tracking = set_.mlflow_uri if set_.mlflow_uri.startswith("http") else ""
    return Links(
        service=set_.service_address or served.get("service", ""),
        mlflow=set_.mlflow_address or served.get("mlflow", "") or tracking,
        drift=set_.drift_address or served.get("drift", ""),
    )


def _served(home: Paths) -> Mapping[str, str]:
    return addresses(read_running(home).port) if is_started(home) else {}


def _join(base: str, page: str) -> str:
    return f"{base.rstrip('/')}/{page}" if base else ""
