"""A new project after step 1 of docs/tutorial.md, with the kind of docs/how-to/install.md."""

import re
import textwrap
from contextlib import ExitStack

import pytest

from config.environment import BASE_DIR
from tests.adopt.adopting import Adopter, edits
from tests.adopt.foreign import running_servers
from tests.adopt.projects import NEW

BLOCK = re.compile(r"^`([\w./-]+)`([^\n]*)\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
PAGE = (BASE_DIR / "docs/how-to/install.md").read_text()


@pytest.fixture(scope="module")
def project(adopter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    with ExitStack() as stack:
        given = stack.enter_context(running_servers(tmp_path_factory.mktemp("servers")))
        broker = given.pop("REDIS_URL")
        made = Adopter(folder, adopter, given | {"DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": str(folder)})
        made.run(adopter, "-m", "django", "startproject", "shop", ".")
        for name, text in NEW.files.items():
            made.write(name, text)
        for edit in edits(1):
            if edit.condition in {"", *NEW.applies}:
                made.write(edit.file, edit.text.replace("redis://127.0.0.1:6379/1", broker))
        for name, _, text in BLOCK.findall(PAGE):
            made.write(name, textwrap.dedent(text).strip() + "\n", appends=False)
        yield made
