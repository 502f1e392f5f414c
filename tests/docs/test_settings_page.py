"""docs/reference/settings.md matches the declared settings."""

import re

import pytest

from config import variables
from config.environment import BASE_DIR
from devtools.pages import settings
from notifications import conf

READ = re.compile(r"env\.(str|filled|int|float|bool|list|choice)\(")
# Ports and hosts, whose defaults depend on the process; and the methods themselves.
OTHERS = {"processes.py", "reading.py"}


def test_page_is_current():
    # If this fails: make pages
    assert (BASE_DIR / "docs/reference/settings.md").read_text() == settings.page()


def test_variable_is_declared_once():
    names = [setting.name for group in (*conf.groups(), *variables.GROUPS) for setting in conf.declared(group)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", sorted({*(BASE_DIR / "config").glob("*.py")}), ids=lambda path: path.name)
def test_site_reads_declared_variables_only(path):
    assert path.name in OTHERS or not READ.search(path.read_text())
