"""The arithmetic of the benchmark of accepted players."""

import pytest

from benchmarks.accept import report


def test_the_median_of_each_authentication_method_must_meet_its_goal(capsys: pytest.CaptureFixture[str]) -> None:
    good = [(400.0, 180.0), (500.0, 200.0), (400.0, 400.0)]
    bad = [(400.0, 220.0), (500.0, 300.0), (400.0, 40.0)]
    assert report({"none": good, "link": bad}, "another", {"none": 0.5})
    assert not report({"none": good, "link": bad}, "another", {"none": 0.5, "link": 0.5})
    assert report({"none": bad}, "a bare proxy", {})
    assert "median x0.45, goal x0.5 or less" in capsys.readouterr().out
