"""The translations are complete, consistent and compiled."""

import ast
import io
import os
import re
import shutil
import subprocess
import sys

import pytest
from babel.messages import mofile, pofile
from django.conf import settings

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-zA-Z]|%%")


# Of the site, and of each app that has translations.
FOLDERS = [settings.BASE_DIR / "locale", *sorted(settings.BASE_DIR.glob("*/locale"))]
CATALOGUES = [folder / code / "LC_MESSAGES" / "django.po" for folder in FOLDERS for code in LANGUAGES]

ENGINE = ("emails", "admin", "notifications/unsubscribe", "notifications/progress")
# Users' pages and emails, and the engine's admin pages. Commands and developers' pages are in English.
TEMPLATES = [
    path
    for folder in ("templates", *(f"notifications/templates/{part}" for part in ENGINE))
    for path in sorted((settings.BASE_DIR / folder).rglob("*.*"))
    if not path.is_relative_to(settings.BASE_DIR / "templates/admin")
]
MARKED_OR_CODE = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"{% blocktranslate\b.*?{% endblocktranslate %}|{% block (?:page|icon) %}.*?{% endblock %}",
        r"{#.*?#}|<!--.*?-->|<(style|script)\b.*?</\1>|<code>.*?</code>",
        r"{%.*?%}|{{.*?}}",
        r"<[^>]+>|&\w+;",
    )
]
SPOKEN = re.compile(r'\b(?:alt|aria-label|placeholder|title)="(?!{)[^"]*[a-z][^"]*"')
# A command in the test email.
COMMAND = "manage.py provider_check --send-to"


def read(path):
    with path.open("rb") as file:
        return pofile.read_po(file, locale=path.parent.parent.name)


def sentences(path):
    return [message for message in read(path) if message.id]


def forms(text):
    return [text] if isinstance(text, str) else list(text)


@pytest.fixture(params=CATALOGUES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def catalogue(request):
    return request.param


def test_compiled_file_matches_the_source(catalogue):
    fresh = io.BytesIO()
    mofile.write_mo(fresh, read(catalogue))
    assert catalogue.with_suffix(".mo").read_bytes() == fresh.getvalue(), "make messages compiles them"


def test_every_sentence_is_translated_and_none_is_fuzzy_or_obsolete(catalogue):
    assert not read(catalogue).obsolete
    unfinished = [
        message.id for message in sentences(catalogue) if message.fuzzy or not all(forms(message.string or ""))
    ]
    assert unfinished == []


def test_translation_has_the_same_placeholders(catalogue):
    wrong = []
    for message in sentences(catalogue):
        expected = {frozenset(PLACEHOLDER.findall(form)) for form in forms(message.id)}
        wrong += [form for form in forms(message.string) if frozenset(PLACEHOLDER.findall(form)) not in expected]
    assert wrong == []


def test_plural_has_as_many_forms_as_the_language(catalogue):
    found = read(catalogue)
    assert found.plural_forms == "nplurals=2; plural=(n != 1);"
    assert {len(message.string) for message in found if message.pluralizable} <= {found.num_plurals}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_template_has_no_unmarked_text(path):
    text = path.read_text().replace(COMMAND, "")
    assert SPOKEN.findall(text) == []
    for pattern in MARKED_OR_CODE:
        text = pattern.sub(" ", text)
    assert re.findall(r"[^\W\d_]+", text) == []


@pytest.mark.parametrize("folder", ["accounts", "config", "notifications"])
def test_no_sentence_is_marked_inside_an_f_string(folder):
    # xgettext does not find it there.
    marks = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}
    for path in (settings.BASE_DIR / folder).rglob("*.py"):
        texts = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
        called = {ast.unparse(node.func) for text in texts for node in ast.walk(text) if isinstance(node, ast.Call)}
        assert not called & marks, path


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext")
def test_catalogue_has_exactly_the_marked_sentences(tmp_path):
    copy = tmp_path / "mailroom"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "tests", "docs", "__pycache__", ".*_cache")
    shutil.copytree(settings.BASE_DIR, copy, ignore=ignored)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "devtools.messages"]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for path in CATALOGUES:
        needed = {str(message.id) for message in sentences(copy / path.relative_to(settings.BASE_DIR))}
        assert needed == {str(message.id) for message in sentences(path)}, "make messages collects them"
