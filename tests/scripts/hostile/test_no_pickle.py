"""No source of the product reads a pickle, and the search for such source finds what it must."""

from pathlib import Path

import pytest

from scripts.hostile.no_pickle import offences, offences_below
from scripts.hostile.pickles_attack import PACKAGES
from tests.conftest import ROOT


def test_no_source_of_the_product_runs_what_a_file_names() -> None:
    assert offences_below(ROOT, PACKAGES) == []


def test_the_one_unpickler_is_the_one_that_is_admitted() -> None:
    assert [line.split(":")[2] for line in offences(ROOT / "models/metrics/lpips.py", "elsewhere.py")] == [
        " import of pickle"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "import torch; torch.load(path)",
        "import torch; torch.load(path, weights_only=False)",
        "import numpy as np; np.load(path, allow_pickle=True)",
        "import pandas as pd; pd.read_pickle(path)",
        "frame.to_pickle(path)",
        "import yaml; yaml.unsafe_load(text)",
        "trainer.fit(module, ckpt_path=path, weights_only=False)",
        "def f():\n    from cloudpickle import loads",
        "eval(text)",
    ],
)
def test_each_way_to_run_a_file_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(line)
    assert len(list(offences(tmp_path / "a.py", "a.py"))) == 1


@pytest.mark.parametrize(
    "line", ["import torch; torch.load(path, weights_only=True)", "import numpy as np; np.load(path)", "network.eval()"]
)
def test_what_runs_nothing_is_left_alone(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(line)
    assert list(offences(tmp_path / "a.py", "a.py")) == []
