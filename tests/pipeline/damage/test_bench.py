"""The benchmark runs and shows the fast drawer ahead of the naive one."""

import sys

import pytest

from pipeline.damage.bench import frontal_landmarks, main, stroke_times
from pipeline.damage.scene import Scene
from tests.conftest import ROOT


def test_fast_beats_naive_by_far() -> None:
    fast, naive = stroke_times(Scene.of(frontal_landmarks(128), 128), 5)
    assert naive > 5 * fast  # 20 times on an idle core


def test_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["bench", "--size", "64", "--count", "3"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16
    assert "masks/s" in lines[0]
