"""Choose a cycle's checkout: the root itself when called by hand, one of its own when called by a deployment."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import CycleRecord, adopt, checkout, in_use, project, record


@task(name="checkout", cache_policy=NO_CACHE, persist_result=False)
def own_checkout(root: Path, revision: str) -> Path:
    """The project at `revision` in state/cycles; `root` itself where no revision is asked for."""
    if not revision:
        return root
    paths = Paths(root)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    return checkout(project(paths), revision, paths, name)


def settle(root: Path, place: Path, reason: str, overrides: Mapping[str, Any], version: str, *, champion: bool) -> None:
    """Remember what a cycle in its own checkout has made; where it is champion, production follows it."""
    if place == root:
        return
    paths = Paths(root)
    revision = (place / ".revision").read_text(encoding="utf-8")
    record(
        paths,
        CycleRecord(
            cycle=place.name, revision=revision, reason=reason, overrides=overrides, version=version,
            finished=datetime.now(UTC), adopted=False,
        ),
    )  # fmt: skip
    if champion or _has_no_data(paths):
        adopt(paths, version)


def _has_no_data(paths: Paths) -> bool:
    return not in_use(paths) and not paths.home.portrait_rows.is_file()
