"""MLflow's database as MLflow makes it, made once in a process: its seventy migrations take four seconds each time."""

import tempfile
from functools import cache
from pathlib import Path


def lay_database(file: Path) -> None:
    """Write an empty database of MLflow's unless there is one; its experiments are made on first use."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_database())


@cache
def _database() -> bytes:
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy import create_engine

    from pipeline.registry.client import silence_mlflow

    silence_mlflow()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mlflow.db"
        engine = create_engine(f"sqlite:///{file}")
        _initialize_tables(engine)
        engine.dispose()
        return file.read_bytes()
