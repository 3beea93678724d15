"""Lineage of a result: code, data and recipe, as short strings for tags."""

import hashlib
import subprocess
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from models.errors import DataError
from pipeline.project.paths import Paths

UNKNOWN = "unknown"


class Provenance(BaseModel):
    """Digests and revision; `unknown` where there is no git or no lock file."""

    model_config = ConfigDict(frozen=True)

    data_digest: str
    git_revision: str
    git_dirty: bool
    dvc_lock_sha256: str

    def tags(self) -> dict[str, str]:
        """List them as tags of a run or of a model version."""
        return {**self.model_dump(exclude={"git_dirty"}), "git_dirty": str(self.git_dirty).lower()}


def collect_provenance(paths: Paths) -> Provenance:
    """Collect where the contents of this checkout come from.

    Raises:
        DataError: no portraits.
    """
    return Provenance(
        data_digest=data_digest(paths.portrait_rows),
        git_revision=_revision(paths.root),
        git_dirty=bool(not _recorded(paths.root) and _git(paths.root, "status", "--porcelain", "--untracked-files=no")),
        dvc_lock_sha256=_file_digest(paths.root / "dvc.lock"),
    )


def data_digest(rows: Path) -> str:
    """Compute SHA-256 over (sha256 of the file, identity, split) of all portraits; their order does not matter.

    Raises:
        DataError: no such table.
    """
    if not rows.is_file():
        raise DataError("portraits", f"no {rows.name} in {rows.parent}", "run the stage ingest first")
    table = pd.read_parquet(rows, columns=["sha256", "identity", "split"]).sort_values(["sha256", "identity", "split"])
    digest = hashlib.sha256()
    for line in table.itertuples(index=False):
        digest.update(("\t".join(line) + "\n").encode())
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else UNKNOWN


def _revision(root: Path) -> str:
    """Read the revision; a cycle's checkout has no git of its own but says which revision it is."""
    return _recorded(root) or _git(root, "rev-parse", "HEAD") or UNKNOWN


def _recorded(root: Path) -> str:
    path = root / ".revision"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _git(root: Path, *arguments: str) -> str:
    """Run git; nothing in a checkout without git, which is supported."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - git of the user, no shell
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
