"""prefect.yaml is what the plan says; that Prefect makes the same of it is tried in test_triggers.py."""

from pathlib import Path

import pytest

from flows.deployment import prefect_yaml
from tests.conftest import ROOT


def test_the_file_is_what_the_plan_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prefect_yaml.main()
    assert Path(prefect_yaml.FILE).read_bytes() == (ROOT / prefect_yaml.FILE).read_bytes()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_prefect_reads_it() -> None:
    from prefect.cli.deploy._models import PrefectYamlModel
    from ruamel.yaml import YAML

    read = YAML(typ="safe").load((ROOT / prefect_yaml.FILE).read_text(encoding="utf-8"))
    model = PrefectYamlModel.model_validate(read)
    assert [one.entrypoint for one in model.deployments] == [
        "flows.cycle.cycle",
        "flows.watch.watch",
        "flows.ab_verdict.ab_verdict",
        "flows.housekeeping.housekeeping",
    ]
