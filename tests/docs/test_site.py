"""The site lists every page in a menu, and leads links to the pages that it makes of them."""

import re

import pytest

import notifications
from devtools.docs_site import source
from devtools.docs_site.__main__ import build

MENU = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "source"
    source.write_source(folder)
    return folder


def test_every_page_is_in_one_menu(written):
    entries = [line for pages in source.MENUS.values() for line in pages]
    listed = [page for entry in entries for page in written.glob(f"{entry}.md")]
    listed += [page for page in written.glob("decisions/*.md") if page.name != "index.md"]
    assert sorted({*listed}) == sorted(page for page in written.rglob("*.md") if page != written / "index.md")


def test_links_lead_to_pages_of_the_site(written):
    for page in written.rglob("*.md"):
        broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
        assert broken == [], page


def test_reference_has_every_public_name(written):
    page = (written / source.API).read_text()
    documented = re.findall(r"^\.\. auto\w+:: notifications\.(\w+)$", page, re.MULTILINE)
    assert documented == sorted(notifications.__all__)


@pytest.mark.long
def test_site_is_built_and_can_be_searched(tmp_path):
    assert build(tmp_path) == 0
    index = (tmp_path / "site" / "searchindex.js").read_text()
    assert all(word in index for word in ("tutorial", "enqueu", "suppress"))
    assert (tmp_path / "site" / "index.html").exists()
