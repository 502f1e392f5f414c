"""docs/settings.md says what the code reads."""

import ast
import re
from pathlib import Path

from config.environment import BASE_DIR
from notifications import conf

READERS = (
    "config/settings.py",
    "config/environment.py",
    "config/celeryconfig.py",
    "config/endpoints.py",
    "config/flower_guard.py",
)
READ = re.compile(r"env\.(str|filled|int|float|bool|list|choice)$")
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| ", re.MULTILINE)


def variables(path: Path) -> dict[str, object]:
    """Every variable read through `env`, with its default as the source has it; None where there is none."""
    found: dict[str, object] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and READ.match(ast.unparse(node.func)):
            defaults = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
            found[ast.literal_eval(node.args[0])] = ast.unparse(defaults[0]) if defaults else None
    return found


def shown(default: object) -> str:
    if default is None:
        return "none"
    text = str(default)
    if text.startswith("'"):
        text = text[1:-1]
    computed = {
        "Role.MANAGE.value": "manage",
        "str(BASE_DIR / 'staticfiles')": "staticfiles",
        "3 * 86400": "259200",
        "servers.SMTP_SCHEMES[security]": "587",
    }
    return f"`{computed.get(text, text)}`" if text else "(empty)"


def test_page_names_every_variable_with_its_default():
    read = {name: shown(default) for path in READERS for name, default in variables(BASE_DIR / path).items()}
    read |= {setting.name: shown(repr(setting.default)) for group in conf.GROUPS for setting in conf.declared(group)}
    page = dict(ROW.findall((BASE_DIR / "docs" / "settings.md").read_text()))
    assert page == read
