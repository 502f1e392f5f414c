"""An unavailable double fails the tests in CI, where skips would go unnoticed."""

import pytest

from tests.notifications.providers.ses import ses_double


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """Return an empty folder: no double, and no program except those of the test."""
    monkeypatch.setattr(ses_double, "FOLDER", tmp_path)
    monkeypatch.setattr(ses_double, "INSTALLED", tmp_path / "installed")
    monkeypatch.setattr(ses_double, "PROGRAM", tmp_path / "not-there.js")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def failing(program):
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception), (None, pytest.skip.Exception)]
)
@pytest.mark.parametrize(("programs", "words"), [((), "npm is not installed"), (("npm", "node"), "cannot be reached")])
def test_unavailable_double_fails_in_ci_and_is_skipped_elsewhere(monkeypatch, tools, programs, words, ci, outcome):
    for name in programs:
        failing(tools / name)
    if ci is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=words), ses_double.ses_double(tools):
        pytest.fail("it was had")
