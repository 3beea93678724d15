"""Sort folders of portraits into train, validation and test, as every script and `likeness ablate` split them."""

import shutil
from itertools import groupby
from pathlib import Path

HELD_OUT = 0.2
VALIDATION = 0.07
VIEWS_HELD_OUT = 0.3
VIEWS_VALIDATION = 0.1


def sort_portraits(portraits: Path, views: Path | None, target: Path) -> None:
    """Sort the files into train, validation and test: single portraits by name, views by person."""
    shutil.rmtree(target, ignore_errors=True)
    _sort([[file] for file in _files(portraits)], HELD_OUT, VALIDATION, target)
    if views is not None:
        sort_views(views, target)


def sort_views(views: Path, target: Path) -> None:
    """Sort pictures named PERSON_ANYTHING.jpg by person, beside what is there already."""
    people = groupby(_files(views), key=lambda file: file.name.partition("_")[0])
    _sort([list(files) for _, files in people], VIEWS_HELD_OUT, VIEWS_VALIDATION, target)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _sort(groups: list[list[Path]], held_out: float, validation: float, target: Path) -> None:
    """Copy whole groups: the first for training, the last held out."""
    test, middle = round(len(groups) * (1 - held_out)), round(len(groups) * (1 - held_out - validation))
    for number, files in enumerate(groups):
        folder = target / ("train" if number < middle else "validation" if number < test else "test")
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
