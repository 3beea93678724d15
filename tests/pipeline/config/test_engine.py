"""Section `engine`: what is admitted."""

import pytest

from models.errors import ConfigError
from pipeline.config.load import load_params
from tests.conftest import ROOT


@pytest.mark.parametrize("address", ["auto", "ray://head.example:10001", "10.0.0.1:6379", ""])
def test_addresses_of_ray(address: str) -> None:
    params = load_params(ROOT / "params.yaml", {"engine.kind": "ray", "engine.address": address})
    assert params.engine.address == address


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"engine.kind": "dask"}, r"engine\.kind"),
        ({"engine.workers": 0}, r"engine\.workers"),
        ({"engine.shard_rows": 0}, r"engine\.shard_rows"),
        ({"engine.retries": -1}, r"engine\.retries"),
        ({"engine.kind": "ray", "engine.address": "http://head:80/x"}, r"engine\.address"),
        ({"engine.address": "auto"}, "with kind: ray only"),
    ],
)
def test_what_is_not_admitted_is_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_params(ROOT / "params.yaml", changes)
