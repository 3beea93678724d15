"""A well-behaved process: no telemetry, no banners, nothing loaded from pickles, exit statuses by sysexits.h."""

import gc
import logging
import os
import resource
import signal
import sys
import warnings
from types import FrameType

from models.errors import LikenessError, ServiceUnavailable

_ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # the default of 20 s is too short for a fresh database
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "PYTHONUNBUFFERED": "1",
}
_LOUD_LOGGERS = (
    "lightning.pytorch",
    "lightning.fabric",
    "alembic",
    "mlflow",
    "great_expectations",
    "evidently",
    "httpx",
    "onnx_ir",
    "onnxscript",
)


def quieten() -> None:
    """Set unset variables for this process and its children, so that only own progress and real warnings appear.

    DVC and MLflow find S3 where `LIKENESS_S3_ENDPOINT` says.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if endpoint := os.environ.get("LIKENESS_S3_ENDPOINT"):
        os.environ.setdefault("AWS_ENDPOINT_URL_S3", endpoint)
    for name in _LOUD_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for module in (
        "lightning",
        "torch",
        "torchvision",
        "mlflow",
        "great_expectations",
        "evidently",
        "insightface",
    ):
        warnings.filterwarnings("ignore", module=rf"{module}(\..*)?")


_NEW_OBJECTS = 10_000
"""So many new containers before Python looks for circles among them; its own 700 make imports a seventh slower."""


def collect_seldom() -> None:
    """Let Python look for circular garbage less often: the libraries make hundreds of thousands of lasting objects."""
    gc.set_threshold(_NEW_OBJECTS)


FAILURE = 1
USAGE = 2
TEMPORARY = 75
_KILLED = 128
"""What a shell adds to the number of the signal that ended a command."""


def leave_no_core_dump() -> None:
    """Let no crash of this process or its children write their memory, which may hold photos and keys, to disk.

    A limit of 1 also holds where the kernel hands dumps to a program (core(5)), which ignores one of 0.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (1 if hard == resource.RLIM_INFINITY else min(1, hard), hard))


def end_in_order_on_sigterm() -> None:
    """Let SIGTERM end this process as an exception does, so that what it began is ended and tidied up."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
    sys.exit(_KILLED + number)


def exit_status(error: LikenessError) -> int:
    """Choose 75 where trying again may help, else 1."""
    return TEMPORARY if isinstance(error, ServiceUnavailable) else FAILURE
