"""Compare any number of rows with the baseline: the figures of `measure_drift`, one column in memory at a time.

Rows come in batches. Their columns go to files of numbers, of which each is then tested by itself: 8 bytes for each row
and column of numbers on the disk, and some 80 bytes for each row in memory while a column is tested.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_array

from monitoring.drift.column_tests import ColumnTestResult, run_column_test, type_of
from monitoring.drift.columns import MISSING, measured_columns, select_comparable, select_restored
from monitoring.drift.detect import conclude, too_few
from monitoring.drift.results import Drift
from pipeline.config.watch import WatchParams

_SUBJECT = "subject"
_NONE = -1
"""Code of a missing category."""


def measure_long_drift(
    batches: Iterable[pd.DataFrame], reference: pd.DataFrame, watch: WatchParams, *, beside: Path
) -> Drift:
    """Compare rows with the baseline; identities are not compared, and no report is written.

    Of each subject the first row counts, as in `select_comparable`; subjects are told apart by hashes of 64 bits.

    Args:
        batches: rows of the log, in order.
        reference: rows of the baseline.
        watch: the parameters.
        beside: folder for files that are deleted at the end.
    """
    then = select_comparable(reference)
    answers: dict[str, ColumnTestResult] = {}
    skipped: dict[str, str] = {}
    with TemporaryDirectory(dir=beside, prefix=".drift-") as folder:
        columns = _Columns(Path(folder), batches)
        for name in map(str, then):
            now, known = columns.values(name), then[name].dropna()
            if name in MISSING and not (known.eq("missing").any() or now.eq("missing").any()):
                continue  # as in `prepare_frames`
            if (values := min(len(now), len(known))) < watch.min_values:
                skipped[name] = too_few(values, watch)
                continue
            type_ = type_of(known, now, watch.few_values)
            if type_ == "cat":
                known, now = _as_text(known), _as_text(now)
            answers[name] = run_column_test(known, now, type_)
    return conclude(answers, skipped, None, watch)


class _Columns:
    """The compared columns of rows, each in a file: numbers as they are, categories as the numbers of their words."""

    def __init__(self, folder: Path, batches: Iterable[pd.DataFrame]) -> None:
        self._folder, self._words = folder, dict[str, dict[str, int]]()
        with ExitStack() as stack:
            files: dict[str, IO[bytes]] = {}
            for batch in batches:
                rows = select_restored(batch)
                for name, values in self._numbers(rows).items():
                    if name not in files:
                        files[name] = stack.enter_context((folder / name).open("wb"))
                    files[name].write(values.tobytes())
        self._own = self._first_of_subjects()

    def values(self, name: str) -> pd.Series:
        """Load the values of a column, without missing ones."""
        if name in self._words:
            codes = self._load(name, np.int16)[self._own]
            words = np.array([*self._words[name], None], object)
            return pd.Series(words[codes[codes != _NONE]], dtype="object")
        numbers = self._load(name, np.float64)[self._own]
        return pd.Series(numbers[~np.isnan(numbers)])

    def _numbers(self, rows: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
        columns = measured_columns(rows)
        subjects = rows[_SUBJECT].to_numpy(object)
        hashes = np.where(subjects == "", np.uint64(0), hash_array(subjects, categorize=False) | np.uint64(1))
        found: dict[str, npt.NDArray[Any]] = {_SUBJECT: hashes}
        for name in map(str, columns):
            column = columns[name]
            is_number = pd.api.types.is_numeric_dtype(column)
            found[name] = column.to_numpy(np.float64) if is_number else self._codes(name, column)
        return found

    def _codes(self, name: str, column: pd.Series) -> npt.NDArray[np.int16]:
        words = self._words.setdefault(name, {})
        for word in column.dropna().unique():
            words.setdefault(word, len(words))
        return column.map(words).fillna(_NONE).to_numpy().astype(np.int16)

    def _first_of_subjects(self) -> npt.NDArray[np.bool_]:
        hashes = pd.Series(self._load(_SUBJECT, np.uint64))
        return ((hashes == 0) | ~hashes.duplicated()).to_numpy()

    def _load(self, name: str, kind: type[np.generic]) -> npt.NDArray[Any]:
        file = self._folder / name
        return np.fromfile(file, kind) if file.is_file() else np.empty(0, kind)


def _as_text(values: pd.Series) -> pd.Series:
    """Turn values, of which few differ, into words."""
    codes, unique = pd.factorize(values)
    return pd.Series(np.array([str(value) for value in unique], object)[codes], dtype="object")
