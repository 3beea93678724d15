"""Write dvc.yaml: each stage's command, code closure, files and params. `make dvc-yaml` after changing imports.

Stages that are off by default go to science/dvc.yaml: DVC runs only the dvc.yaml of the folder that it is called in,
so that `dvc repro` passes them over and `dvc repro science/dvc.yaml` runs them. A frozen stage would not do: DVC
demands its outputs all the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.stages import OFF_BY_DEFAULT, ORDER, STAGES, Stage
from pipeline.workspaces.import_closure import closure

PORTRAITS = "data/portraits/rows.parquet"
IMAGES = "data/portraits/images"
EVIDENCE = (
    "assets/dlib_whitening.safetensors",
    "assets/face_model.safetensors",
    "assets/landmark_network.safetensors",
    "assets/landmark_shift.safetensors",
    "assets/open_dlib_whitening.safetensors",
    "assets/open_landmark_network.safetensors",
    "assets/open_landmarks.safetensors",
)
"""Weights that gathering the evidence reads; a test compares what stages list with what their code names."""
JUDGE = ("assets/dlib_whitening.json", "assets/open_dlib_whitening.json", "pipeline/templates", *EVIDENCE)
PLOTS = [
    {
        "training": {
            "x": "epoch",
            "y": {"data/plots/curves.csv": ["train/lpips", "validation/lpips", "validation/identity"]},
        }
    },
    {"coverage": {"x": "bucket", "y": {"data/plots/coverage.csv": "value"}}},
]


@dataclass(frozen=True)
class Files:
    """What a stage reads and writes besides code; metrics are small JSON files that DVC shows."""

    deps: tuple[str, ...]
    outs: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()


FILES = {
    "ingest": Files(
        deps=("assets/sampler.safetensors", "assets/sampler.json", "assets/open_landmarks.safetensors"),
        outs=("data/portraits", "data/reports/ingest.json"),
    ),
    "validate": Files(
        deps=(PORTRAITS, "data/reports/ingest.json", "pipeline/templates/data_docs.css"),
        outs=("data/validation", "data/reports/validate.json"),
    ),
    "masks": Files(deps=(PORTRAITS, "data/reports/validate.json"), outs=("data/masks", "data/reports/masks.json")),
    "champion": Files(
        deps=(
            *("assets/restorer.safetensors", "assets/restorer.json"),
            *("assets/open_restorer.safetensors", "assets/open_restorer.json", *EVIDENCE),
        ),
        outs=("data/champion",),
    ),
    "train": Files(
        deps=(PORTRAITS, IMAGES, "data/reports/validate.json", "data/champion", *EVIDENCE),
        outs=("data/training",),
        metrics=("data/reports/train.json",),
        plots=("data/plots/curves.csv",),
    ),
    "evaluate": Files(
        deps=(PORTRAITS, IMAGES, "data/masks", "data/champion", "data/training", *JUDGE),
        outs=("data/evaluation",),
        metrics=("data/reports/evaluate.json",),
        plots=("data/plots/coverage.csv",),
    ),
    "ablate": Files(
        deps=(PORTRAITS, IMAGES, "data/champion", *JUDGE),
        outs=("data/ablation",),
        metrics=("data/reports/ablate.json",),
    ),
    "gate": Files(deps=("data/reports/evaluate.json",), outs=("data/gate.md",), metrics=("data/reports/gate.json",)),
}


def pipeline_description(root: Path) -> dict[str, Any]:
    """The content of dvc.yaml."""
    return {"stages": {name: describe(STAGES[name], root) for name in ORDER}, "plots": PLOTS}


def science_description(root: Path) -> dict[str, Any]:
    """The content of science/dvc.yaml; paths are those of the root."""
    stages = {name: {"wdir": "..", **describe(STAGES[name], root)} for name in OFF_BY_DEFAULT}
    return {"stages": stages}


def describe(stage: Stage, root: Path) -> dict[str, Any]:
    """One stage of dvc.yaml."""
    files = FILES[stage.name]
    code = [str(file) for file in closure(f"pipeline.{stage.name}", root)]
    described: dict[str, Any] = {
        "cmd": f"python -m pipeline {stage.name}",
        "deps": sorted({*code, *files.deps}),
        "params": sorted(stage.sections()),
        "outs": list(files.outs),
    }
    if files.metrics:
        described["metrics"] = list(files.metrics)
    if files.plots:
        described["plots"] = list(files.plots)
    return described


def main() -> None:
    """Write dvc.yaml at the root of this checkout and in science/."""
    root = Path(__file__).resolve().parent.parent
    write(root / "dvc.yaml", pipeline_description(root))
    write(root / "science" / "dvc.yaml", science_description(root))


def write(path: Path, description: dict[str, Any]) -> None:
    """One file, with a line on where it comes from."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(
            "# Written by `make dvc-yaml` (scripts/write_dvc_yaml.py): deps are each stage's import closure.\n"
        )
        yaml.dump(description, stream)


if __name__ == "__main__":
    main()
