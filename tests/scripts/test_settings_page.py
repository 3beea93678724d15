"""docs/settings.md is what the class of settings says, and names every variable that the project reads."""

import re

from scripts.docs.write_settings import SETTINGS, settings_page
from tests.conftest import ROOT

_OWN = {"LIKENESS_CI", "LIKENESS_UP", "LIKENESS_UP_NAME", "LIKENESS_SCREENSHOTS"}
"""Of the tests, and marks of processes that `likeness up` started."""


def test_the_page_is_current() -> None:
    assert SETTINGS.read_text(encoding="utf-8") == settings_page()


def test_every_variable_that_is_named_anywhere_is_on_the_page() -> None:
    folders = ("cli", "flows", "infra", "models", "monitoring", "pipeline", "restoration", "scripts", "serving")
    texts = [
        file.read_text(encoding="utf-8", errors="ignore")
        for folder in folders
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".yaml", ".yml", ".sh", ".env", ".md", ""} and file.is_file()
    ]
    named = {name for text in texts for name in re.findall(r"LIKENESS_[A-Z0-9_]*[A-Z0-9]", text)}
    assert named - _OWN <= set(re.findall(r"LIKENESS_[A-Z0-9_]+", settings_page()))
