"""Write dvc.yaml: each stage's command, code closure, files and params. `make dvc-yaml` after changing imports.

Stages that are off by default go to science/, a DVC project of its own: in one project, `dvc pull`, `checkout` and
`metrics show` would demand the outputs that nobody made, of a frozen stage as well.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.stages import FIRST, OFF_BY_DEFAULT, ORDER, STAGES, Stage
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
CURVES, COVERAGE = "data/plots/curves.csv", "data/plots/coverage.csv"
COVERAGE_PLOTS = {
    "lpips": "LPIPS: difference that people see (lower is better)",
    "ms_ssim": "MS-SSIM: likeness of structure (higher is better)",
    "psnr": "PSNR, dB (higher is better)",
    "identity_similarity_independent": "Similarity of identity, by the judge (higher is better)",
    "recognised_independent": "Share recognised, by the judge (higher is better)",
}
"""Titles of the plots by metric; the template .dvc/plots/methods.json draws methods as colours."""


@dataclass(frozen=True)
class Files:
    """What a stage reads and writes besides code; metrics are small JSON files that DVC shows and git keeps.

    `persisted` are outputs that no run cache restores, as the stage reads what DVC cannot see.
    """

    deps: tuple[str, ...]
    outs: tuple[str, ...]
    persisted: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


OVERLAY = "data/overlay.yaml"

FILES = {
    "overlay": Files(deps=("local",), outs=(), persisted=(OVERLAY,)),
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
        outs=("data/training", "data/reports/train.json", CURVES),
    ),
    "evaluate": Files(
        deps=(PORTRAITS, IMAGES, "data/masks", "data/champion", "data/training", *JUDGE),
        outs=("data/evaluation", "data/reports/evaluate.json", COVERAGE),
    ),
    "ablate": Files(
        deps=(PORTRAITS, IMAGES, "data/champion", *JUDGE),
        outs=("science/ablation", "science/ablate.json"),
    ),
    "gate": Files(
        deps=("data/reports/evaluate.json",),
        outs=("data/gate.md", "data/reports/gate.json"),
        metrics=("metrics.json",),
    ),
}


def pipeline_description(root: Path) -> dict[str, Any]:
    """The content of dvc.yaml."""
    return {"stages": {name: describe(STAGES[name], root) for name in (FIRST, *ORDER)}, "plots": plots()}


def science_description(root: Path) -> dict[str, Any]:
    """The content of science/dvc.yaml: what lies at the root is outside that project."""
    return {"stages": {name: seen_from_science(describe(STAGES[name], root)) for name in OFF_BY_DEFAULT}}


def seen_from_science(described: dict[str, Any]) -> dict[str, Any]:
    """A stage of dvc.yaml, with paths from the folder science/ instead of the root."""
    return {
        "cmd": f"cd .. && {described['cmd']}",
        "deps": [f"../{dep}" for dep in described["deps"]],
        "params": [{f"../{file}": sections} for file, sections in by_file(described["params"]).items()],
        "outs": [out.removeprefix("science/") for out in described["outs"]],
    }


def by_file(params: list[Any]) -> dict[str, list[str]]:
    """Sort the sections that a stage depends on by the files in which they stand."""
    own: dict[str, list[str]] = params[-1]
    return {"params.yaml": params[:-1], **own}


def plots() -> list[dict[str, Any]]:
    """The plots: training by epoch, and each metric by coverage bucket, with methods as colours."""
    curves = {"x": "epoch", "y": {CURVES: ["train/lpips", "validation/lpips", "validation/identity"]}}
    by_bucket = [
        {
            metric: {
                "template": "methods",
                "title": title,
                "x": "bucket",
                "x_label": "missing share of the face",
                "y": {COVERAGE: metric},
                "y_label": metric,
            }
        }
        for metric, title in COVERAGE_PLOTS.items()
    ]
    return [{"training": curves}, *by_bucket]


def describe(stage: Stage, root: Path) -> dict[str, Any]:
    """One stage of dvc.yaml."""
    files = FILES[stage.name]
    code = [str(file) for file in closure(f"pipeline.{stage.name}", root)]
    described: dict[str, Any] = {
        "cmd": f"sh pipeline/stage.sh {stage.name}",
        "deps": sorted({*code, *files.deps}),
    }
    if stage.name == FIRST:
        described["params"] = sorted({section for other in STAGES.values() for section in other.sections()})
    else:
        sections = sorted(stage.sections())
        described["params"] = [*sections, {OVERLAY: sections}]
    described["outs"] = [*files.outs, *({name: {"persist": True}} for name in files.persisted)]
    if files.metrics:
        described["metrics"] = [{name: {"cache": False}} for name in files.metrics]
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
