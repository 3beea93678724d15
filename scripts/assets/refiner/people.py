"""People whom face model and refiner learn from: several folders of portraits, sorted and read by the same ingest."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from models.assets import ASSETS, RESEARCH, Edition
from models.errors import DataError
from pipeline.portraits.read import read_portraits
from pipeline.project.paths import Paths
from pipeline.stages import run_stage
from pipeline.workspaces.create import create_workspace
from scripts.portrait_folders import sort_portraits, sort_views

SOURCES = ("ffhq256", "congress", "ffhq128", "omi")
"""Folders of portraits, one person a file, real people first; folders that are not there are left out."""
_PATTERN = "^([^_.]+)"
"""Who is in a file: a view's person, else the file itself, whose name begins with its source."""


def gather_people(
    portraits: Path,
    views: Path | None,
    workspace: Path,
    sources: Sequence[str] = SOURCES,
    edition: Edition = RESEARCH,
) -> Paths:
    """Sort and ingest the sources into a workspace, once; each source's last fifth, by name, is held out.

    Args:
        portraits: a folder with some of the folders `SOURCES`.
        views: folder of further people, several pictures each: PERSON_ANYTHING.jpg.
        workspace: where aligned portraits and their table are kept; one that is there already is not made anew.
        sources: the folders that are taken.
        edition: whose landmarks are predicted.

    Raises:
        DataError: none of the folders is there.
    """
    paths = Paths(workspace.resolve())
    if paths.portrait_rows.is_file():
        return paths
    folders = [portraits / name for name in sources if (portraits / name).is_dir()]
    if not folders:
        raise DataError(f"one of the folders {', '.join(sources)}", f"none in {portraits}", "give another folder")
    target = paths.root / "portraits"
    _sort_sources(folders, views, target)
    settings: dict[str, Any] = {
        "data.source": "folder",
        "data.location": str(target),
        "data.identity_pattern": _PATTERN,
        "identity.edition": edition,
    }
    create_workspace(ASSETS.parent, paths.root, settings)
    run_stage("ingest", paths.root)
    return paths


def people_of(paths: Paths, split: str) -> pd.DataFrame:
    """Read the rows of one split, with a column `folder`: the source of each portrait, "views" for people in several.

    Raises:
        DataError: ingest has not run.
    """
    rows = read_portraits(paths)
    rows = rows[rows["split"] == split].copy()
    rows["folder"] = [source_of(file) for file in rows["file"]]
    return rows.sort_values("file").reset_index(drop=True)


def source_of(file: str) -> str:
    """Name the source of a sorted file: "train/ffhq256-00001.jpg" -> "ffhq256"; "views" where no source begins it."""
    name = Path(file).name.partition("-")[0]
    return name if name in SOURCES else "views"


def _sort_sources(folders: list[Path], views: Path | None, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    for folder in folders:
        one = target.with_name("one-source")
        sort_portraits(folder, None, one)
        for file in sorted(one.rglob("*.*")):
            split = target / file.parent.name
            split.mkdir(parents=True, exist_ok=True)
            file.rename(split / f"{folder.name}-{file.name}")
        shutil.rmtree(one)
    if views is not None:
        sort_views(views, target)
