"""Follow docs/how-to/test-your-email.md in the project of docs/how-to/install.md: the wheel alone brings the plugin."""

import re
import textwrap

import pytest

from config.environment import BASE_DIR
from tests.adopt.conftest import install
from tests.adopt.installed import BLOCK, project

__all__ = ["project"]
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PAGE = (BASE_DIR / "docs/how-to/test-your-email.md").read_text()


@pytest.fixture(scope="module")
def tested(project):
    """Return the project with the page's files and packages."""
    install(project.python, *re.search(r"^    pip install (.+)$", PAGE, re.MULTILINE)[1].split())
    for name, _, text in BLOCK.findall(PAGE):
        (project.folder / name).write_text(textwrap.dedent(text).strip() + "\n")
    return project


def test_tests_of_the_page_pass(tested):
    shown = tested.run(tested.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "orders/test_shipping.py")
    assert re.search(r"^\d+ passed", shown, re.MULTILINE)


def test_tests_of_the_page_pass_with_the_test_runner_of_django(tested):
    tested.manage("test", "orders")


def test_proof_of_the_page_passes(tested):
    shown = tested.run(tested.python, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "orders/test_proof.py")
    assert re.search(r"prove: accepted=50 .* lost=0 .* unexplained_duplicates=0 ", shown)


def test_other_projects_are_not_affected(tested, tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    command = [tested.python, "-m", "pytest", "-q", "-W", "error", "-p", "no:django", tmp_path]
    environment, tested.environment = tested.environment, {"PATH": tested.environment["PATH"]}
    try:
        assert "1 passed" in tested.run(*command)
    finally:
        tested.environment = environment
