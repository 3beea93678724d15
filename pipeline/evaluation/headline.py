"""The few figures that people compare between experiments: metrics.json, which `dvc metrics` and `dvc exp` show."""

from pipeline.evaluation.gate_report import GateReport
from pipeline.evaluation.results import EvaluateReport

FIGURES = {
    "lpips": "lpips",
    "ms_ssim": "ms_ssim",
    "psnr": "psnr",
    "identity_similarity": "identity_similarity_independent",
    "recognised": "recognised_independent",
    "id_fid": "id_fid",
    "known_pixels_changed": "known_pixels_changed",
    "lpips_vs_champion": "lpips_vs_champion",
    "lpips_vs_telea": "lpips_vs_telea",
    "identity_distance_vs_champion": "identity_distance_independent_vs_champion",
    "identity_distance_vs_telea": "identity_distance_independent_vs_telea",
}
"""Name of a headline figure and its name in the evaluation's summary; identities are told apart by the judge."""


def headline_figures(evaluation: EvaluateReport, gate: GateReport) -> dict[str, float]:
    """List the challenger's headline figures by name; what was not measured is left out.

    `gate_passed` is 1 or 0. Times are not among them: they differ from run to run.
    """
    measured = {name: evaluation.summary.get(source) for name, source in FIGURES.items()}
    return {"gate_passed": int(gate.passed)} | {name: value for name, value in measured.items() if value is not None}
