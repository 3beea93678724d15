"""The page that `dvc plots` writes draws its plots without any network: the real DVC, a real browser."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from scripts.write_plots_page import PAGE, page
from tests.browser import open_browser
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


def test_the_page_is_that_of_the_pinned_version() -> None:
    made = page()
    assert (ROOT / PAGE).read_text(encoding="utf-8") == made
    assert "{plot_divs}" in made
    assert "{scripts}" not in made  # DVC would put tags there that load Vega from elsewhere


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A DVC project with this one's plots, and figures for them."""
    plots = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    shutil.copytree(ROOT / ".dvc" / "plots", tmp_path / ".dvc" / "plots")
    shutil.copy(ROOT / ".dvc" / "config", tmp_path / ".dvc" / "config")
    (tmp_path / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n", encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text(json.dumps({"plots": plots}), encoding="utf-8")
    folder = tmp_path / "data" / "plots"
    folder.mkdir(parents=True)
    curves = "epoch,train/lpips,validation/lpips,validation/identity\n0,0.4,0.5,0.6\n1,0.3,0.4,0.5\n"
    (folder / "curves.csv").write_text(curves, encoding="utf-8")
    names = [name for plot in plots[1:] for name in plot]
    head = ["bucket", "method", *(f"{name}{end}" for name in names for end in ("", "_low", "_high"))]
    rows = [[bucket, method, *["0.5"] * 3 * len(names)] for bucket, method in product("ab", ("challenger", "telea"))]
    (folder / "coverage.csv").write_text("\n".join(map(",".join, [head, *rows])) + "\n", encoding="utf-8")
    return tmp_path


def test_dvc_plots_are_drawn_in_a_browser_without_network(project: Path, browser: "Browser") -> None:
    subprocess.run([sys.executable, "-m", "dvc", "plots", "show", "-q"], cwd=project, check=True)
    context = browser.new_context(offline=True)
    shown, asked, troubles = context.new_page(), list[str](), list[str]()
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("pageerror", lambda error: troubles.append(str(error)))
    address = (project / "dvc_plots" / "index.html").as_uri()
    shown.goto(address)
    shown.locator("svg.marks").nth(5).wait_for(timeout=60_000)
    assert shown.locator("svg.marks").count() == 6
    assert "LPIPS" in shown.evaluate("document.body.outerHTML")
    shown.locator("summary").first.click()
    menu = shown.locator(".vega-actions").first.inner_text()
    context.close()
    assert (asked, troubles) == ([address], [])
    assert "Save as SVG" in menu
    assert "Editor" not in menu  # a page of another server
