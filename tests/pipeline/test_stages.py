"""Contracts between code, dvc.yaml and params.yaml."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.config.data import DataParams
from pipeline.config.load import Params, load_params, write_params
from pipeline.engine.in_process import HERE
from pipeline.engine.interface import Engine
from pipeline.engine.local import Processes
from pipeline.project.paths import Paths
from pipeline.stages import FIRST, OFF_BY_DEFAULT, ORDER, STAGES, Stage, run_stage
from pipeline.workspaces.import_closure import closure
from pipeline.workspaces.overlay import set_own_values
from scripts.write_dvc_yaml import FILES, OVERLAY, describe, pipeline_description, science_description
from tests.conftest import ROOT

YAML_FILE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
SCIENCE = YAML(typ="safe").load((ROOT / "science" / "dvc.yaml").read_text(encoding="utf-8"))
AT_ROOT = {name: describe(STAGES[name], ROOT) for name in OFF_BY_DEFAULT}
"""Stages of science/, with paths from the root; a test compares them with science/dvc.yaml."""
DESCRIBED = YAML_FILE["stages"] | AT_ROOT


def test_params_yaml_is_valid_and_complete() -> None:
    params = load_params(ROOT / "params.yaml")
    assert set(YAML(typ="safe").load((ROOT / "params.yaml").read_text())) == {
        field.rstrip("_") for field in Params.model_fields
    }
    assert params.data.source == "sampler"


def test_dvc_yaml_has_the_stages_of_the_code() -> None:
    assert tuple(YAML_FILE["stages"]) == (FIRST, *ORDER)
    assert tuple(SCIENCE["stages"]) == OFF_BY_DEFAULT  # `dvc repro` at the root does not see them
    assert set(STAGES) == set(FILES) == {FIRST, *ORDER, *OFF_BY_DEFAULT}


@pytest.mark.parametrize("name", [*ORDER, *OFF_BY_DEFAULT])
def test_params_are_the_sections_that_the_function_takes_with_their_own_values(name: str) -> None:
    sections = STAGES[name].sections()
    *tracked, own = DESCRIBED[name]["params"]
    assert sorted(tracked) == sorted(own[OVERLAY]) == sorted(sections)
    assert {field.rstrip("_") for field in Params.model_fields} >= set(sections)


def test_stages_that_work_on_shards_get_the_engine_and_do_not_depend_on_its_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [name for name, stage in STAGES.items() if stage.takes_engine()] == [
        "ingest",
        "validate",
        "masks",
        "evaluate",
    ]
    assert all("engine" not in stage.sections() for stage in STAGES.values())
    write_params(ROOT / "params.yaml", tmp_path / "params.yaml", {"engine.workers": 3, "engine.shard_rows": 7})
    given: list[Engine] = []

    def ingest(data: DataParams, paths: Paths, engine: Engine = HERE) -> DataParams:
        given.append(engine)
        return data

    monkeypatch.setattr(Stage, "function", lambda self: ingest)
    run_stage("ingest", tmp_path)
    (engine,) = given
    assert isinstance(engine, Processes)
    assert engine.shard_rows == 7


def test_own_values_are_laid_down_of_every_section_that_a_stage_takes() -> None:
    taken = {section for stage in STAGES.values() for section in stage.sections()}
    assert set(DESCRIBED[FIRST]["params"]) == taken


@pytest.mark.parametrize("name", STAGES)
def test_deps_cover_the_import_closure(name: str) -> None:
    code = {str(file) for file in closure(f"pipeline.{name}", ROOT)}
    missing = code - set(DESCRIBED[name]["deps"])
    assert not missing, "run `make dvc-yaml`"


@pytest.mark.parametrize("name", STAGES)
def test_weights_that_a_stages_code_names_are_listed(name: str) -> None:
    code = [(ROOT / file).read_text(encoding="utf-8") for file in closure(f"pipeline.{name}", ROOT)]
    named = {f"assets/{file}" for text in code for file in re.findall(r'^[A-Z_]+ = ASSETS / "([^"]+)"', text, re.M)}
    assert named <= set(DESCRIBED[name]["deps"]), "add them to FILES"


def test_dvc_yaml_is_up_to_date() -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value

    assert plain(YAML_FILE) == plain(pipeline_description(ROOT)), "run `make dvc-yaml`"
    assert plain(SCIENCE) == plain(science_description(ROOT)), "run `make dvc-yaml`"


def test_every_file_that_a_stage_reads_exists_or_is_made_by_an_earlier_stage() -> None:
    made: list[str] = []
    for stage in DESCRIBED.values():
        for dep in stage["deps"]:
            assert (ROOT / dep).exists() or any(dep == out or dep.startswith(f"{out}/") for out in made), dep
        made += outputs(stage)


def test_stages_that_gather_evidence_depend_on_its_weights() -> None:
    weights = {"assets/face_model.safetensors", "assets/landmark_shift.safetensors"}
    for name in ("train", "evaluate", "ablate"):
        assert weights <= set(DESCRIBED[name]["deps"]), name
    assert not weights & set(DESCRIBED["masks"]["deps"])
    assert all((ROOT / file).is_file() for name in DESCRIBED for file in DESCRIBED[name]["deps"] if "assets/" in file)


def outputs(stage: dict[str, Any]) -> list[str]:
    """All that a stage writes; a metric, and what persists, is a mapping from its name to options."""
    return [
        name for out in (*stage["outs"], *stage.get("metrics", ())) for name in ([out] if isinstance(out, str) else out)
    ]


def test_every_plot_reads_what_a_stage_writes_by_a_template_that_is_there() -> None:
    made = [name for stage in YAML_FILE["stages"].values() for name in outputs(stage)]
    for plot in YAML_FILE["plots"]:
        for content in plot.values():
            assert set(content["y"]) <= set(made)
            assert "template" not in content or (ROOT / ".dvc" / "plots" / f"{content['template']}.json").is_file()


@pytest.fixture
def reproduced(tmp_path: Path) -> Path:
    """This tree as DVC sees it after a run: all that stages read, and something at every place that they write."""
    for folder in ("models", "pipeline", "assets"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("params.yaml", "dvc.yaml", "model-packages.txt", "local/.gitignore"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for stage in YAML_FILE["stages"].values():
        for name in outputs(stage):
            _fill(tmp_path / name)
    for stage in YAML_FILE["stages"].values():
        for dep in stage["deps"]:
            if not (tmp_path / dep).exists():
                _fill(tmp_path / dep)
    _dvc(tmp_path, "init", "--no-scm")
    _dvc(tmp_path, "commit", "--force")
    return tmp_path


def _fill(path: Path) -> None:
    file = path if path.suffix else path / "content"
    file.parent.mkdir(parents=True, exist_ok=True)
    sections: dict[str, Any] = {name.rstrip("_"): {} for name in Params.model_fields}
    file.write_text(json.dumps(sections if path.name == "overlay.yaml" else {}))


def _dvc(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def _changed_stages(root: Path) -> set[str]:
    return set(json.loads(_dvc(root, "status", "--json")))


@pytest.mark.slow
def test_code_and_keys_of_study_ab_and_service_touch_no_stage(reproduced: Path) -> None:
    assert _changed_stages(reproduced) == set()
    for section in ("user_study", "ab", "serving"):
        file = reproduced / "pipeline" / "config" / f"{section}.py"
        file.write_text(file.read_text() + "\nNEW = 1\n")
    text = (reproduced / "params.yaml").read_text()
    params = YAML().load(text)
    params["study"]["people"] += 1
    params["ab"]["margin"] = 0.03
    params["serve"]["workers"] += 1
    params["restore"]["inpainter"] = "lama.onnx"
    params["engine"]["workers"] += 1
    with (reproduced / "params.yaml").open("w") as stream:
        YAML().dump(params, stream)
    assert _changed_stages(reproduced) == set()
    set_own_values(reproduced / "params.yaml", {"train.seed": 5})
    assert _changed_stages(reproduced) == {FIRST}
    (reproduced / "local" / "params.yaml").unlink()
    assert _changed_stages(reproduced) == set()
    params["train"]["seed"] += 1
    with (reproduced / "params.yaml").open("w") as stream:
        YAML().dump(params, stream)
    assert "train" in _changed_stages(reproduced)
    assert "masks" not in _changed_stages(reproduced)
