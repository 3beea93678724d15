"""Open an ONNX graph on ONNX Runtime, on the CPU."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import WeightsError

if TYPE_CHECKING:
    import onnxruntime


def open_session(graph: Path | bytes, threads: int, remedy: str) -> "onnxruntime.InferenceSession":
    """Open the graph in a file or in memory; `threads` work on one operator, 0 = as many as there are cores.

    Raises:
        WeightsError: no such file, or no graph that ONNX Runtime can run; it says `remedy`.
    """
    import onnxruntime

    if isinstance(graph, Path) and not graph.is_file():
        raise WeightsError(f"an ONNX graph at {graph}", "no such file", remedy)
    source = str(graph) if isinstance(graph, Path) else graph
    try:
        return onnxruntime.InferenceSession(source, session_options(threads), providers=["CPUExecutionProvider"])
    except unreadable_graph() as error:
        reason = str(error).partition("\n")[0][:160]
        place = graph if isinstance(graph, Path) else "memory"
        raise WeightsError(f"an ONNX graph in {place}", reason, remedy) from error


def session_options(threads: int) -> "onnxruntime.SessionOptions":
    """Make the options of a session; `threads` work on one operator, 0 = as many as there are cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # between pictures there is other work
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors are raised; warnings of somebody's exporter help nobody
    return options


def unreadable_graph() -> tuple[type[Exception], ...]:
    """List the errors by which ONNX Runtime refuses a file."""
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf
    from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NotKnown

    return Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotKnown
