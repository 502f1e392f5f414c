"""CHANGELOG.md has the form of Keep a Changelog, and its newest release is the version of the wheel."""

import re
import tomllib

from config.environment import BASE_DIR

TEXT = (BASE_DIR / "CHANGELOG.md").read_text()
GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_newest_release_is_the_version_of_the_wheel():
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
    assert headings[1].startswith(f"[{project['version']}] ")


def test_changes_are_grouped():
    for release in TEXT.split("\n## ")[1:]:
        groups = re.findall(r"^### (.*)$", release, re.MULTILINE)
        assert groups == [group for group in GROUPS if group in groups]
