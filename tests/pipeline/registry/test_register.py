"""What a registered version holds, and that it restores what the restorer restores."""

import json

import numpy as np
import pytest
import torch

from models.errors import PromotionError
from models.evidence.evidence import Damaged
from models.gan.restorer import Restorer
from models.weight_files import weights_sha256
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.register import input_example, register
from pipeline.registry.versions import find_version, list_models
from tests.pipeline.registry.site import NAME, lay_out, params

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


STORED = {
    "MLmodel",
    "conda.yaml",
    "input_example.json",
    "model_card.md",
    "pyfunc_model.py",
    "python_env.yaml",
    "registered_model_meta",
    "requirements.txt",
    "serving_input_example.json",
    "weights.safetensors",
}


def test_no_pickle_anywhere(site: Paths) -> None:
    files = [file for file in site.mlflow_artifacts.rglob("*") if file.is_file()]
    assert {file.name for file in files} <= STORED
    starts = {file.read_bytes()[:2] for file in files}
    assert not [
        start for start in starts if start[:1] == b"\x80" or start == b"PK"
    ]  # pickle, and torch's zip of pickles


def test_the_loaded_model_restores_what_the_restorer_restores(site: Paths) -> None:
    import mlflow

    connect(site)
    loaded = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger")
    batch = input_example(side=48)
    batch["image"] = np.random.default_rng(0).uniform(-1, 1, batch["image"].shape).astype(np.float32)
    restored = loaded.predict(batch)
    damaged = Damaged(**{name: torch.from_numpy(array) for name, array in batch.items()})
    np.testing.assert_array_equal(restored, Restorer.load(site.trained_weights).restore(damaged).numpy())
    known = np.broadcast_to(batch["hole_mask"] == 0, restored.shape)
    assert (restored[known] == batch["image"][known]).all()
    assert (restored[~known] != batch["image"][~known]).mean() > 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"image": np.zeros((1, 3, 32, 32), np.uint8)},
        {"image": np.zeros((1, 4, 32, 32), np.float32)},
        {"hole_mask": None},
    ],
    ids=["uint8", "four channels", "no mask"],
)
def test_the_signature_refuses_other_tensors(site: Paths, change: dict[str, object]) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    connect(site)
    loaded = mlflow.pyfunc.load_model(f"models:/{NAME}/1")
    batch = {name: value for name, value in {**input_example(), **change}.items() if value is not None}
    with pytest.raises(MlflowException):
        loaded.predict(batch)


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
