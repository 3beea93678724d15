"""Print where the demo's time went, as a Markdown table: `python -m scripts.benchmarks.measure_demo`.

The demo has measured its parts itself (state/demo.json); stages are indented below their step, whose time they share.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from models.errors import DataError
from pipeline.project.paths import Paths


def main() -> None:
    """Print the table and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("build/demo"))
    print("\n".join(table(read_rows(parser.parse_args().workspace))))


def read_rows(workspace: Path) -> list[dict[str, Any]]:
    """Read the rows of the demo's progress: key, title, seconds, images.

    Raises:
        DataError: no demo has ended there.
    """
    file = Paths(workspace).state / "demo.json"
    if not file.is_file():
        raise DataError(f"the results of a demo in {workspace}", "none", "run `make demo` first")
    rows: list[dict[str, Any]] = json.loads(file.read_bytes())["rows"]
    return rows


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Format the rows; those without a time are left out."""
    lines = ["| part | seconds | pictures | a second |", "|---|---|---|---|"]
    lines += [_line(row) for row in rows if row["seconds"]]
    total = sum(row["seconds"] for row in rows if "/" not in row["key"])
    return [*lines, f"| **all** | **{total:.0f}** | | |"]


def _line(row: dict[str, Any]) -> str:
    images, seconds = row["images"], row["seconds"]
    title = f"· {row['title']}" if "/" in row["key"] else row["title"]
    return f"| {title} | {seconds:.0f} | {images or ''} | {f'{images / seconds:.1f}' if images else ''} |"


if __name__ == "__main__":
    main()
