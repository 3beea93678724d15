"""Paths below the project's root: the only place that spells them."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.project.environment import environment

_EXPERIMENTS = (".dvc", "tmp", "exps")
"""Where DVC puts the folders of its experiments, below the project's root."""


@dataclass(frozen=True)
class Paths:
    """Paths of one checkout. `data/` is what DVC tracks, `state/` is what it must never touch."""

    root: Path

    @property
    def home(self) -> "Paths":
        """The project's, also where these are of its state/production, of a cycle's checkout or of an experiment.

        The first two lie in its state. Relative places in params.yaml are looked for here.
        """
        if self.experimenter is not None:
            return Paths(self.experimenter).home
        state, root = self.state.resolve(), self.root.resolve()
        return Paths(state.parent if root.is_relative_to(state) else root)

    @property
    def experimenter(self) -> Path | None:
        """Root of the checkout whose `dvc exp run --temp` or `--queue` made this folder; None where it is no such."""
        folders = self.root.resolve().parents
        return next((folder.parents[2] for folder in folders if folder.parts[-3:] == _EXPERIMENTS), None)

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def overlay(self) -> Path:
        """The project's own values over params.yaml, for its state/production and for experiments as well.

        A cycle's checkout holds them in its params.yaml, as they were when the cycle began.
        """
        if self.experimenter is not None:
            return Paths(self.experimenter).overlay
        live = self.root.resolve() == self.home.production.resolve()
        return (self.home.root if live else self.root) / "local" / "params.yaml"

    # overlay
    @property
    def stage_overlay(self) -> Path:
        return self.root / "data" / "overlay.yaml"

    # ingest
    @property
    def source_cache(self) -> Path:
        return self.root / "data" / "cache"

    @property
    def portraits(self) -> Path:
        return self.root / "data" / "portraits"

    @property
    def portrait_rows(self) -> Path:
        return self.portraits / "rows.parquet"

    @property
    def portrait_images(self) -> Path:
        return self.portraits / "images"

    @property
    def quarantine(self) -> Path:
        return self.portraits / "quarantine"

    @property
    def ingest_report(self) -> Path:
        return self.root / "data" / "reports" / "ingest.json"

    # validate
    @property
    def validation_docs(self) -> Path:
        return self.root / "data" / "validation"

    @property
    def validation_report(self) -> Path:
        return self.root / "data" / "reports" / "validate.json"

    # masks
    @property
    def masks(self) -> Path:
        return self.root / "data" / "masks"

    @property
    def mask_rows(self) -> Path:
        return self.masks / "rows.parquet"

    @property
    def mask_report(self) -> Path:
        return self.root / "data" / "reports" / "masks.json"

    # champion
    @property
    def champion(self) -> Path:
        return self.root / "data" / "champion"

    @property
    def champion_weights(self) -> Path:
        return self.champion / "weights.safetensors"

    @property
    def champion_report(self) -> Path:
        return self.champion / "champion.json"

    # train
    @property
    def training(self) -> Path:
        return self.root / "data" / "training"

    @property
    def trained_weights(self) -> Path:
        return self.training / "weights.safetensors"

    @property
    def training_report(self) -> Path:
        return self.root / "data" / "reports" / "train.json"

    @property
    def training_curves(self) -> Path:
        return self.root / "data" / "plots" / "curves.csv"

    @property
    def checkpoints(self) -> Path:
        return self.state / "checkpoints"

    # evaluate
    @property
    def evaluation(self) -> Path:
        return self.root / "data" / "evaluation"

    @property
    def evaluation_rows(self) -> Path:
        return self.evaluation / "rows.parquet"

    @property
    def evaluation_html(self) -> Path:
        return self.evaluation / "report.html"

    @property
    def evaluation_report(self) -> Path:
        return self.root / "data" / "reports" / "evaluate.json"

    @property
    def evaluation_plot(self) -> Path:
        return self.root / "data" / "plots" / "coverage.csv"

    # gate
    @property
    def gate_report(self) -> Path:
        return self.root / "data" / "reports" / "gate.json"

    @property
    def gate_table(self) -> Path:
        return self.root / "data" / "gate.md"

    @property
    def metrics(self) -> Path:
        """Headline figures, which git keeps."""
        return self.root / "metrics.json"

    # ablate
    @property
    def ablation(self) -> Path:
        return self.root / "science" / "ablation"

    @property
    def ablation_html(self) -> Path:
        return self.ablation / "report.html"

    @property
    def ablation_report(self) -> Path:
        return self.root / "science" / "ablate.json"

    # what production leaves behind
    @property
    def state(self) -> Path:
        """The project's, also of an experiment: its runs and checkpoints outlive its folder."""
        return (self.experimenter or self.root) / "state"

    @property
    def service_state(self) -> Path:
        """What the service writes: LIKENESS_SERVICE_STATE, else `state` itself.

        A worker executes code below `state`. Where the two are apart, the service needs no right to write there.
        """
        return environment().service_state or self.state

    @property
    def service_locks(self) -> Path:
        return self.service_state / "locks"

    @property
    def mlflow_database(self) -> Path:
        return self.state / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.state / "mlartifacts"

    @property
    def production_log(self) -> Path:
        return self.service_state / "production.sqlite"

    @property
    def drift(self) -> Path:
        return self.state / "drift"

    @property
    def evidently_workspace(self) -> Path:
        return self.state / "evidently"

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    @property
    def alerts(self) -> Path:
        return self.service_state / "alerts.jsonl"

    @property
    def open_alerts(self) -> Path:
        return self.service_state / "alerts-open.json"

    @property
    def audit(self) -> Path:
        return self.state / "audit.json"

    @property
    def studies(self) -> Path:
        return self.state / "studies"

    @property
    def keys(self) -> Path:
        return self.service_state / "keys"

    @property
    def log_key(self) -> Path:
        return self.keys / "log.key"

    def log_head(self, name: str) -> Path:
        """Sealed head of the production log called `name`; the key fits several logs, a head only its own."""
        return self.keys / f"{name}.head"

    def log_segments(self, name: str) -> Path:
        """Folder of the sealed segments of the production log called `name`."""
        return self.service_state / f"{name}-segments"

    @property
    def all_log_segments(self) -> tuple[Path, ...]:
        """Folders of sealed segments, of every log that this state was used with."""
        return tuple(sorted(self.service_state.glob("log*-segments")))

    @property
    def subjects(self) -> Path:
        return self.service_state / "subjects.sqlite"

    @property
    def kept(self) -> Path:
        return self.service_state / "kept"

    @property
    def tokens(self) -> Path:
        return self.service_state / "tokens.json"

    @property
    def served(self) -> Path:
        return self.service_state / "served.json"

    @property
    def cycles(self) -> Path:
        return self.state / "cycles"

    @property
    def production(self) -> Path:
        return self.state / "production"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def prefect_home(self) -> Path:
        return self.state / "prefect"

    @property
    def running(self) -> Path:
        return self.state / "up.json"
