"""Find the weights of a version, or those that ship, and compare them with the digest on record."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from models import assets
from models.assets import OPEN, RESEARCH, Edition
from models.errors import WeightsError
from models.weight_files import read_architecture, stored_edition, weights_sha256
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.versions import SHIPPED, champion_version, find_version

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_SHIPPED: Mapping[Edition, str] = {RESEARCH: "restorer.safetensors", OPEN: "open_restorer.safetensors"}
WEIGHTS_FILE = "weights.safetensors"
"""Name of the weights inside a registered model."""


def resolve_weights(paths: Paths, model_name: str, edition: Edition, which: str = "champion") -> tuple[Path, str]:
    """Find a verified weights file and the version it belongs to.

    Args:
        paths: the checkout.
        model_name: in the registry.
        edition: that the weights must belong to.
        which: `champion`, `challenger`, `previous`, `shipped`, or a version number.

    Returns:
        (safetensors file, version); `champion` is `shipped` where none was promoted.

    Raises:
        PromotionError: no such version or alias.
        WeightsError: the file is not the one that was registered, or it belongs to another edition.
        ServiceUnavailable: MLflow does not answer.
    """
    if which == "champion":
        which = champion_version(paths, model_name)
    if which == SHIPPED:
        return shipped_weights(edition), SHIPPED
    client = connect(paths)
    version = find_version(client, model_name, which)
    digest = version.tags.get("weights_sha256", "")
    cached = environment().cache / "weights" / f"{digest}.safetensors"
    if not (digest and cached.is_file() and weights_sha256(cached) == digest):
        fetch_weights(client, version, cached)
    check_edition(cached, edition, f"version {version.version} of {model_name}")
    return cached, str(version.version)


def check_edition(weights: Path, edition: Edition, name: str) -> None:
    """Refuse weights of another edition than params.yaml names: their landmarks and their terms are others.

    Raises:
        WeightsError: that is what they are.
    """
    if (found := stored_edition(read_architecture(weights))) != edition:
        remedy = f"set identity.edition to {found}, or take another version (`likeness models`)"
        raise WeightsError(f"weights of the edition {edition}", f"{name}, of the edition {found}", remedy)


def shipped_weights(edition: Edition) -> Path:
    """Find an edition's weights in `assets/`, compared with the digest on their card.

    Raises:
        WeightsError: missing or changed.
    """
    weights = assets.ASSETS / _SHIPPED[edition]
    card = weights.with_suffix(".json")
    for file in (weights, card):
        if not file.is_file():
            raise WeightsError(f"shipped weights at {file}", "no such file", "take assets/ from git")
    _check(weights, json.loads(card.read_text(encoding="utf-8"))["sha256"], "take it from git")
    return weights


def fetch_weights(client: "MlflowClient", version: "ModelVersion", target: Path) -> None:
    """Copy the stored weights of a version to `target`, if they are the ones that were registered.

    Raises:
        WeightsError: they are gone, or their SHA-256 is not that of the tag `weights_sha256`.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    name = f"version {version.version} of {version.name}"
    source = f"models:/{version.name}/{version.version}/artifacts/{WEIGHTS_FILE}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        try:
            with translate_outages(client.tracking_uri):
                file = Path(download_artifacts(artifact_uri=source, dst_path=folder))
        except (MlflowException, FileNotFoundError) as error:
            raise WeightsError(f"stored weights of {name}", "none", "register the model again") from error
        _check(file, version.tags.get("weights_sha256", ""), f"do not use {name}; register the model again")
        shutil.move(file, target)


def verify_weights(client: "MlflowClient", version: "ModelVersion") -> None:
    """Read the stored weights of a version and compare their digest; nothing is kept.

    Raises:
        WeightsError: as `fetch_weights`.
    """
    with tempfile.TemporaryDirectory() as folder:
        fetch_weights(client, version, Path(folder) / WEIGHTS_FILE)


def _check(file: Path, digest: str, remedy: str) -> None:
    actual = weights_sha256(file)
    if actual != digest:
        raise WeightsError(f"SHA-256 {digest[:12] or '(none)'} of {file.name}", actual[:12], remedy)
