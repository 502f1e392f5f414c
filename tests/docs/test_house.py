"""The README's map and the architecture page match the tree and its layers. Each job and code has a row."""

import re
import tomllib

from config.environment import BASE_DIR
from notifications import housekeeping
from notifications.operations.advice import ProviderCode
from notifications.operations.finding import Code

LINE = re.compile(r"^    (  )?((?:[\w.]+/? )*[\w.]+/?)   ", re.MULTILINE)


def named_in_map():
    section = (BASE_DIR / "README.md").read_text().partition("    notifications/\n")[2].partition("\n\n")[0]
    for is_room, names in LINE.findall(section):
        folder = BASE_DIR / "notifications" if is_room else BASE_DIR
        yield from (folder / name for name in names.split())


def test_map_names_only_existing_paths():
    assert not [path for path in named_in_map() if not path.exists()]


def test_map_names_every_room():
    # git leaves the compiled modules of a moved package behind.
    folder = BASE_DIR / "notifications"
    files = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    rooms = {folder / path.relative_to(folder).parts[0] for path in files}
    assert not {path for path in rooms if path.is_dir() or path.suffix == ".py"} - set(named_in_map())


def test_layers_match_the_contract():
    page = (BASE_DIR / "docs/explanation/architecture.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    contracts = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert [re.findall(r"\w+", row) for row in rows] == [layer.split(" | ") for layer in layers]


def test_every_periodic_job_has_a_row():
    page = (BASE_DIR / "docs/reference/periodic-jobs.md").read_text()
    assert not [job.name for job in housekeeping.registered() if f"`{job.name}`" not in page]


def test_every_code_of_the_status_has_a_row():
    page = (BASE_DIR / "docs/reference/status-page.md").read_text()
    assert not [code for code in (*Code, *ProviderCode) if f"`{code}`" not in page]
