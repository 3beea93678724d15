"""Contracts between code, dvc.yaml and params.yaml."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.closure import closure
from pipeline.config import Params, load_params
from pipeline.stages import OFF_BY_DEFAULT, ORDER, STAGES
from recipes.write_dvc_yaml import FILES, pipeline_description, science_description
from tests.conftest import ROOT

YAML_FILE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
SCIENCE = YAML(typ="safe").load((ROOT / "science" / "dvc.yaml").read_text(encoding="utf-8"))
DESCRIBED = YAML_FILE["stages"] | SCIENCE["stages"]


def test_params_yaml_is_valid_and_complete() -> None:
    params = load_params(ROOT / "params.yaml")
    assert set(YAML(typ="safe").load((ROOT / "params.yaml").read_text())) == {
        field.rstrip("_") for field in Params.model_fields
    }
    assert params.data.source == "sampler"


def test_dvc_yaml_has_the_stages_of_the_code() -> None:
    assert tuple(YAML_FILE["stages"]) == ORDER
    assert tuple(SCIENCE["stages"]) == OFF_BY_DEFAULT  # `dvc repro` at the root does not see them
    assert set(STAGES) == set(FILES) == {*ORDER, *OFF_BY_DEFAULT}


@pytest.mark.parametrize("name", STAGES)
def test_params_are_the_sections_that_the_function_takes(name: str) -> None:
    sections = STAGES[name].sections()
    assert sorted(DESCRIBED[name]["params"]) == sorted(sections)
    assert {field.rstrip("_") for field in Params.model_fields} >= set(sections)


@pytest.mark.parametrize("name", STAGES)
def test_deps_cover_the_import_closure(name: str) -> None:
    code = {str(file) for file in closure(f"pipeline.{name}", ROOT)}
    missing = code - set(DESCRIBED[name]["deps"])
    assert not missing, "run `make dvc-yaml`"


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
        made += [*stage["outs"], *stage.get("metrics", ()), *stage.get("plots", ())]


def test_stages_that_gather_evidence_depend_on_its_weights() -> None:
    weights = {"assets/face_model.safetensors", "assets/landmark_shift.safetensors"}
    for name in ("train", "evaluate", "ablate"):
        assert weights <= set(DESCRIBED[name]["deps"]), name
    assert not weights & set(DESCRIBED["masks"]["deps"])
    assert all((ROOT / file).is_file() for name in DESCRIBED for file in DESCRIBED[name]["deps"] if "assets/" in file)
