"""Evaluate: the challenger, the champion and the classical methods side by side on the frozen set."""

import secrets
from dataclasses import dataclass

import pandas as pd
import torch

from models.face_model.shape_and_appearance import ShapedFaceModel
from models.load import load_restorer
from models.metrics.names import MEANS
from models.weight_files import weights_sha256
from pipeline.config.data import DataParams
from pipeline.config.evaluation import EvaluateParams
from pipeline.config.identity import IdentityParams
from pipeline.engine.in_process import HERE
from pipeline.engine.interface import Engine
from pipeline.evaluation.baselines import Method, baselines
from pipeline.evaluation.bench import CHALLENGER, Bench, loaded
from pipeline.evaluation.examples import worst_strips
from pipeline.evaluation.report import render
from pipeline.evaluation.results import EvaluateReport, Metrics, Slices
from pipeline.evaluation.run import evaluate_methods
from pipeline.evaluation.scoring import Judges, encoder_digests
from pipeline.evaluation.slices import slice_figures, slice_table
from pipeline.evaluation.test_set import FrozenCases
from pipeline.portraits.read import read_portraits
from pipeline.project.environment import environment
from pipeline.project.files import fresh_folder, write_text
from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.champion import read_champion
from pipeline.registry.data_sets import log_data_set


def evaluate(
    *, data: DataParams, evaluate: EvaluateParams, identity: IdentityParams, paths: Paths, engine: Engine = HERE
) -> EvaluateReport:
    """Measure all methods on the frozen masks; writes rows, report, plot and page, and logs them.

    Raises:
        DataError: no masks, fewer than two identities in the test split, or a table of attributes that cannot be read.
        ConfigError: one encoder has both roles.
        WeightsError: weights of the challenger, the champion or an encoder are missing or damaged.
        ServiceUnavailable: MLflow does not answer.
        WorkerLost: see `Engine.map_shards`.
    """
    tracking.connect(paths)  # first of all: it may not answer
    load = StoredBench(secrets.token_hex(8), paths, identity)
    bench = loaded(load)
    with fresh_folder(paths.evaluation) as folder:
        rows_file = folder / paths.evaluation_rows.name
        report = evaluate_methods(load, evaluate, rows_file, _versions(paths), engine)
        rows = pd.read_parquet(rows_file)
        report = report.model_copy(
            update={"slices": _slices(rows, data, evaluate, paths), "encoder_sha256": encoder_digests(identity)}
        )
        strips = worst_strips(bench.methods, bench.cases, rows, evaluate.worst_cases, bench.judges.device)
        write_text(folder / paths.evaluation_html.name, render(report, strips))
    write_text(paths.evaluation_plot, coverage_plot(report).to_csv(index=False))
    write_text(paths.evaluation_report, report.model_dump_json(indent=2) + "\n")
    _log(report, identity, paths)
    return report


@dataclass(frozen=True)
class StoredBench:
    """Loads what the stages before have left in a checkout.

    Attributes:
        run: tells runs apart, so that weights which have changed since are read anew.
    """

    run: str
    paths: Paths
    identity: IdentityParams

    def __call__(self) -> Bench:
        """Load methods, cases and judges.

        Raises:
            DataError: no masks, or tables that are missing.
            ConfigError: one encoder has both roles.
            WeightsError: weights are missing or damaged.
        """
        device = torch.device(environment().device)
        (methods, face_models), cases = methods_of(self.paths, device), FrozenCases(self.paths)
        return Bench(methods, cases, cases.portrait_ids, Judges.load(device, self.identity), face_models)


def methods_of(paths: Paths, device: torch.device) -> tuple[dict[str, Method], list[ShapedFaceModel]]:
    """Load challenger, champion, the challenger's face model alone and classical methods; and both face models."""
    champion = load_restorer(paths.champion_weights, read_champion(paths).sha256, device)
    challenger = load_restorer(paths.trained_weights, device=device)
    methods = {CHALLENGER: challenger.restore, "champion": champion.restore} | baselines(challenger.face_model)
    return methods, [challenger.face_model, champion.face_model]


def coverage_plot(report: EvaluateReport) -> pd.DataFrame:
    """Build the table for `dvc plots`: a row per bucket and method, of each metric METRIC, METRIC_low, METRIC_high.

    Buckets are in order; the bucket `all` is not among them.
    """
    records = [
        {"bucket": bucket, "method": method} | _ends(metrics)
        for method, buckets in report.methods.items()
        for bucket, metrics in sorted(buckets.items())
        if bucket != "all"
    ]
    columns = [f"{metric}{end}" for metric in MEANS for end in ("", "_low", "_high")]
    return pd.DataFrame.from_records(records, columns=["bucket", "method", *columns])


def _ends(metrics: Metrics) -> dict[str, float | None]:
    """Name value and interval of every mean as columns of the plot's table."""
    figures = {metric: figure for metric, figure in metrics.items() if metric in MEANS}
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {f"{name}{end}": getattr(figure, key) for name, figure in figures.items() for end, key in ends.items()}


def _slices(rows: pd.DataFrame, data: DataParams, evaluate: EvaluateParams, paths: Paths) -> Slices:
    attributes = paths.home.root / data.attributes if data.attributes else None
    table = slice_table(read_portraits(paths), attributes, evaluate.slices)
    return slice_figures(rows, table, evaluate.slices.min_people, evaluate.bootstrap, evaluate.seed)


def _versions(paths: Paths) -> dict[str, str]:
    champion = read_champion(paths)
    return {
        CHALLENGER: weights_sha256(paths.trained_weights),
        "champion": champion.sha256,
        "champion_version": champion.version,
    }


def _log(report: EvaluateReport, identity: IdentityParams, paths: Paths) -> None:
    tracking.log_params(paths, {"identity": identity.model_dump(), "encoder_sha256": report.encoder_sha256})
    log_data_set(paths, "evaluation")
    tracking.log_metrics(paths, report.tracked())
    for file in (paths.evaluation_html, paths.evaluation_report, paths.evaluation_plot):
        tracking.log_artifact(paths, file, "evaluate")
