"""Weights and model files are all listed, with terms and digests; the terms are those of their cards."""

from typing import Any

import pytest

from models.assets import ASSETS
from models.package_files import FILES, file_sha256
from scripts.bill_of_materials import TERMS_OF_PACKAGE_FILES, licence_table, package_files, terms, weights


def test_every_file_of_weights_has_terms_and_its_digest() -> None:
    listed = {one["name"]: one for one in weights()}
    assert set(listed) == {f"assets/{file.name}" for file in ASSETS.glob("*.safetensors")}
    for name, one in listed.items():
        assert one["hashes"][0]["content"] == file_sha256(ASSETS.parent / name)
        assert len(one["licenses"][0]["license"]["name"]) > 10


@pytest.mark.parametrize(
    ("name", "said"),
    [("restorer", "CC BY-NC-SA 4.0"), ("open_landmarks", "Apache-2.0"), ("sampler", "CC BY-NC-SA 4.0")],
)
def test_terms_are_those_of_the_card(name: str, said: str) -> None:
    assert said in terms(ASSETS / f"{name}.safetensors")


def test_every_model_file_of_a_package_is_listed() -> None:
    assert set(TERMS_OF_PACKAGE_FILES) == set(FILES)
    assert [one["hashes"][0]["content"] for one in package_files()] == [one.sha256 for one in FILES.values()]


def test_the_table_names_each_component_once_and_what_says_nothing() -> None:
    components: list[dict[str, Any]] = [
        {"name": "b", "version": "2", "licenses": [{"license": {"id": "MIT"}}, {"license": {"id": "MIT"}}]},
        {"name": "A", "version": "1", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
        {"name": "c"},
    ]
    assert licence_table({"components": components}).splitlines()[2:] == [
        "| A | 1 | MIT OR Apache-2.0 |", "| b | 2 | MIT |", "| c |  | not declared by the package |",
    ]  # fmt: skip
