"""What a registered version holds; what it restores is tried in an environment of its own (tests/restoration)."""

import base64
import json

import cv2
import numpy as np
import pytest

from models.errors import PromotionError
from models.weight_files import weights_sha256
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.register import register
from pipeline.registry.signature import signature
from pipeline.registry.versions import find_version, list_models
from tests.pipeline.registry.site import NAME, lay_out, params

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


STORED = {
    "MLmodel",
    "conda.yaml",
    "constraints.txt",
    "input_example.json",
    "model_card.md",
    "pyfunc_model.py",
    "python_env.yaml",
    "registered_model_meta",
    "requirements.txt",
    "identity.json",
    "restore.json",
    "serving_input_example.json",
    "weights.safetensors",
}


def test_no_pickle_anywhere(site: Paths) -> None:
    files = [file for file in site.mlflow_artifacts.rglob("*") if file.is_file()]
    assert {file.name for file in files if "code" not in file.parts} <= STORED
    assert {file.suffix for file in files if "code" in file.parts} == {
        "", ".json", ".md", ".onnx", ".py", ".safetensors"
    }  # fmt: skip
    starts = {file.read_bytes()[:2] for file in files}
    assert not [
        start for start in starts if start[:1] == b"\x80" or start == b"PK"
    ]  # pickle, and torch's zip of pickles


def test_a_version_says_what_it_takes_and_answers(site: Paths) -> None:
    import mlflow

    connect(site)
    found = mlflow.models.get_model_info(f"models:/{NAME}@challenger").signature
    assert found == signature()
    assert [(column.name, column.type.name, column.required) for column in found.inputs] == [
        ("photo", "binary", True),
        ("mask", "binary", False),
    ]
    assert [(column.name, column.type.name) for column in found.outputs] == [("picture", "binary"), ("row", "string")]
    assert {choice.name: choice.default for choice in found.params} == {
        "mode": "auto", "strength": 1.0, "fade": False, "strip": False
    }  # fmt: skip


def test_the_example_is_a_photo_and_a_mask_in_base64(site: Paths) -> None:
    example = json.loads(next(site.mlflow_artifacts.rglob("serving_input_example.json")).read_text())
    table = example["dataframe_split"]
    assert table["columns"] == ["photo", "mask"]
    photo, mask = (cv2.imdecode(np.frombuffer(base64.b64decode(cell), np.uint8), 0) for cell in table["data"][0])
    assert photo is not None
    assert mask is not None
    assert photo.shape == mask.shape == (params().restore.files.min_side,) * 2
    assert set(np.unique(mask)) == {0, 255}
    assert set(photo[mask == 0]) == {128}


def test_evaluation_figures_are_those_of_the_model_on_its_data_set(site: Paths) -> None:
    client = connect(site)
    version = find_version(client, NAME, "2")
    experiment = client.get_run(version.run_id).info.experiment_id
    found = client.search_logged_models(
        [experiment],
        filter_string="metrics.`evaluate.lpips_vs_telea` > 0.55",
        datasets=[{"dataset_name": "portraits", "dataset_digest": version.tags["data_digest"][:32]}],
    )
    figures = {
        model.model_id: {metric.key: metric.value for metric in model.metrics if metric.dataset_name == "portraits"}
        for model in found
    }
    expected = [{"evaluate.recognised_independent": 0.91, "evaluate.lpips_vs_telea": ratio} for ratio in (0.6, 0.99)]
    assert sorted(figures.values(), key=lambda each: each["evaluate.lpips_vs_telea"]) == expected
    assert all(model.source_run_id == version.run_id for model in found)


def test_tags_and_card_tell_where_the_version_comes_from(site: Paths) -> None:
    version = find_version(connect(site), NAME, "3")
    gate = json.loads(site.gate_report.read_text())
    assert version.tags["weights_sha256"] == gate["challenger"] == weights_sha256(site.trained_weights)
    assert version.tags["gate"] == "failed"
    assert version.tags["gate_summary"] == "7 of 8 criteria; not lpips_vs_telea"
    assert len(version.tags["data_digest"]) == 64
    assert {"git_revision", "git_dirty", "dvc_lock_sha256", "started_from"} <= set(version.tags)
    card = (site.mlflow_artifacts / version.run_id / "artifacts" / "model_card.md").read_text()
    assert version.description == card
    facts = ("0.1234 [0.1134, 0.1334]", "| lpips_vs_telea", "## Limits", "CC BY-NC-SA 4.0", version.tags["data_digest"])
    losses = f"lpips {params().train.losses.lpips:g}"
    assert [fact for fact in (*facts, losses) if fact not in card] == []


def test_all_versions_of_a_cycle_lie_in_its_run(site: Paths) -> None:
    client = connect(site)
    assert len({find_version(client, NAME, number).run_id for number in ("1", "2", "3")}) == 1


def test_weights_that_the_gate_did_not_judge_are_not_registered(site: Paths) -> None:
    judged = site.gate_report.read_text()
    lay_out(site, seed=4)
    site.gate_report.write_text(judged)
    with pytest.raises(PromotionError, match="run the stages evaluate and gate again"):
        register(paths=site, params=params())
    assert len(list_models(site, NAME)) == 3
