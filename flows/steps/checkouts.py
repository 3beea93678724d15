"""Choose a cycle's checkout: the root itself when called by hand, a separate one when called by a deployment."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.steps.reports import CycleReport
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import (
    CycleRecord,
    adopt_cycle,
    create_checkout,
    cycle_in_use,
    record_cycle,
    revision_source,
)


@task(name="checkout", cache_policy=NO_CACHE, persist_result=False)
def choose_checkout(root: Path, revision: str) -> Path:
    """Check out the project at `revision` in state/cycles; without a revision give `root` itself."""
    if not revision:
        return root
    paths = Paths(root)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    return create_checkout(revision_source(paths), revision, paths, name)


def record_cycle_result(root: Path, place: Path, report: CycleReport, overrides: Mapping[str, Any]) -> None:
    """Record the result of a cycle in a separate checkout; if its version is champion, production follows it."""
    if place == root:
        return
    paths = Paths(root)
    revision = (place / ".revision").read_text(encoding="utf-8")
    record_cycle(
        paths,
        CycleRecord(
            cycle=place.name, revision=revision, reason=report.reason, overrides=overrides, version=report.version,
            finished=datetime.now(UTC), adopted=False,
        ),
    )  # fmt: skip
    if report.promoted or _has_no_data(paths):
        adopt_cycle(paths, report.version)


def _has_no_data(paths: Paths) -> bool:
    return not cycle_in_use(paths) and not paths.home.portrait_rows.is_file()
