"""Read every file of a folder as a batch does, and print a line of JSON each: `python -m scripts.hostile.reading DIR`.

A process of its own, so that a decoder that ends the process is seen, and that memory is its own.
"""

import json
import sys
import time
from pathlib import Path

from models.assets import ASSETS
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.sources.check import check
from scripts.hostile.victim import peak_mebibytes, reset_peak, resident_mebibytes


def main(folder: Path) -> None:
    """Read and print; the cost of a file is that of the step of the iterator that reads it."""
    own = Path("/proc/self").resolve().name
    lines = check(folder, Limits.of(load_params(ASSETS.parent / "params.yaml").ingest))
    while True:
        reset_peak(int(own))
        cpu, resident = time.process_time(), resident_mebibytes(int(own))
        line = next(lines, None)
        if line is None:
            return
        cost = {"cpu": time.process_time() - cpu, "mebibytes": max(0.0, peak_mebibytes(int(own)) - resident)}
        print(json.dumps({"file": line.file, "code": line.code, **cost}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
