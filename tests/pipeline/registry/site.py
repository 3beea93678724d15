"""A checkout whose model was trained, evaluated and judged, made small: what `register` needs to lie there."""

import shutil
from collections.abc import Sequence

import pandas as pd
import torch

from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.weight_files import weights_sha256
from pipeline.config.load import Params, load_params
from pipeline.evaluation.results import EvaluateReport, Figure
from pipeline.gate import judge
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry.champion import ChampionReport
from tests.conftest import ROOT
from tests.mlflow_database import lay_database

NAME = "portrait-restorer"
PARAMS = ROOT / "params.yaml"


def params() -> Params:
    return load_params(PARAMS)


def lay_out(paths: Paths, seed: int, *, lpips_ratio: float = 0.5) -> str:
    """Put weights and reports where the stages would; returns the digest. A ratio above 0.95 fails the gate."""
    torch.manual_seed(seed)  # the generator's initialisation has no generator argument
    generator = Generator(8, 2)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.01)  # an untrained generator returns the classical fill
    save_weights(generator, paths.trained_weights, image_size=32)
    return lay_reports(paths, lpips_ratio=lpips_ratio)


def lay_reports(paths: Paths, *, lpips_ratio: float = 0.5) -> str:
    """Put reports about the trained weights, of whatever kind, where the stages would; returns their digest."""
    digest = weights_sha256(paths.trained_weights)
    evaluation = evaluate_report(digest, lpips_ratio)
    write_text(paths.evaluation_report, evaluation.model_dump_json())
    write_text(paths.gate_report, judge(params().gate, evaluation).model_dump_json())
    write_text(paths.champion_report, ChampionReport(version="shipped", sha256="0" * 64).model_dump_json())
    paths.portraits.mkdir(parents=True, exist_ok=True)
    rows = {"sha256": ["aa", "bb"], "identity": ["p1", "p2"], "split": ["train", "test"], "source": ["folder"] * 2}
    pd.DataFrame(rows).to_parquet(paths.portrait_rows)
    return digest


def evaluate_report(digest: str, lpips_ratio: float) -> EvaluateReport:
    metrics = {
        "lpips": figure(0.1234),
        "ms_ssim": figure(0.93),
        "recognised_independent": figure(0.91),
        "known_pixels_changed": figure(0.0),
    }
    ratios = {
        "lpips_vs_telea": figure(lpips_ratio),
        "lpips_vs_champion": figure(0.99),
        "identity_distance_independent_vs_telea": figure(0.8),
        "identity_distance_independent_vs_champion": figure(0.97),
    }
    return EvaluateReport(
        portraits=2,
        identities=2,
        masks=2,
        versions={"challenger": digest, "champion_version": "shipped"},
        encoders={"training": "sface", "independent": "dlib"},
        thresholds={"sface": 0.4, "dlib": 0.9},
        methods={"challenger": {"all": metrics}},
        missing={},
        ratios={name: {"all": ratio} for name, ratio in ratios.items()},
        id_fid={},
        latency_ms={},
        summary={"recognised_independent": 0.91, "lpips_vs_telea": lpips_ratio},
    )


def figure(value: float) -> Figure:
    return Figure(value=value, low=value - 0.01 * bool(value), high=value + 0.01 * bool(value), n=2)


def register_by_hand(paths: Paths, gates: Sequence[str]) -> None:
    """Register a version for each outcome of the gate, without packing a model, which would take seconds."""
    from pipeline.registry.client import connect

    if not paths.mlflow_database.exists():
        lay_database(paths.mlflow_database)
    client = connect(paths)
    client.create_registered_model(NAME)
    for number, gate in enumerate(gates, start=1):
        lay_out(paths, number)
        stored = paths.mlflow_artifacts / str(number) / "artifacts" / "weights.safetensors"
        stored.parent.mkdir(parents=True)
        shutil.copy(paths.trained_weights, stored)
        tags = {"gate": gate, "weights_sha256": weights_sha256(stored)}
        client.create_model_version(NAME, f"mlflow-artifacts:/{number}", tags=tags)
