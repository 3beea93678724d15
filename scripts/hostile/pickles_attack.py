"""Pickles that would write a file, wherever the project reads one: none is run, and no source reads any."""

import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

from models.assets import ASSETS
from scripts.finding import Finding, counted
from scripts.hostile.no_pickle import offences_below
from scripts.hostile.victim import Siege

PACKAGES = ("models", "pipeline", "restoration", "monitoring", "flows", "serving", "cli")
READERS = {
    "weights of a restorer": "from models.load import load_restorer; load_restorer(path)",
    "a checkpoint": "import torch; torch.load(path, weights_only=True)",
    "arrays of LPIPS": "from models.metrics.lpips import read_arrays; read_arrays(path)",
    "a picture": "from pipeline.image_io.decode import read_bytes; from pipeline.image_io.outcome import Limits; "
    "read_bytes(path.read_bytes(), Limits(2**25, 10**7, 16, 20.0))",
    "a mask": "from pipeline.damage.picture import read_mask; read_mask(path, 64)",
    "parameters": "from pipeline.config.load import load_params; load_params(path)",
    "an ONNX graph": "import onnxruntime; onnxruntime.InferenceSession(str(path))",
    "a table": "import pyarrow.parquet as pq; pq.read_table(path)",
    "a backup": "from monitoring.backup.restore import restore_backup; restore_backup(path, path.parent / 'restored')",
    "a list of tokens": "from serving.http.auth import read_tokens; read_tokens(path)",
}
"""Code of a process of its own that reads the file `path`."""

_TRY = """
try:
    {code}
except (ImportError, NameError):
    raise
except Exception:
    pass
"""


class _Canary:
    """Unpickled, it writes a file."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, (f"open({str(self._target)!r}, 'w').close()",))


def attack(siege: Siege) -> list[Finding]:
    """Attack by pickles."""
    sources = offences_below(ASSETS.parent, PACKAGES)
    files = sum(1 for package in PACKAGES for _ in (ASSETS.parent / package).rglob("*.py"))
    return [counted("source that reads pickles", "0", sources, files), _canaries(siege)]


def _canaries(siege: Siege) -> Finding:
    folder, sang, misses = siege.work / "pickles", siege.work / "sang", list[str]()
    folder.mkdir()
    forms = pickled(sang)
    for form, data in forms.items():
        path = folder / f"{form}.bin"
        path.write_bytes(data)
        script = f"from pathlib import Path\nimport sys\npath = Path({str(path)!r})\n"
        script += "".join(_TRY.format(code=code) for code in READERS.values()) + "print('read by all')"
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ASSETS.parent
        )
        if sang.exists() or done.stdout.strip() != "read by all":
            misses.append(f"{form}: {'run' if sang.exists() else done.stderr[-200:]}")
            sang.unlink(missing_ok=True)
    return counted("pickles given to every reader", "0 run", misses, len(forms) * len(READERS))


def pickled(target: Path) -> dict[str, bytes]:
    """Canaries in the forms in which a reader may meet them: bare, and as torch and Keras wrap them in a ZIP."""
    canary = pickle.dumps(_Canary(target))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wrapped:
        wrapped.writestr("archive/data.pkl", canary)
        wrapped.writestr("archive/version", "3\n")
    return {"bare": canary, "protocol 0": pickle.dumps(_Canary(target), 0), "as torch writes it": archive.getvalue()}
