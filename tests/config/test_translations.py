"""The translations in the repository: complete, sound, and compiled from what they say."""

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


def path(language, name="django.po"):
    return settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / name


def sentences(language):
    with path(language).open("rb") as file:
        return [message for message in pofile.read_po(file, locale=language) if message.id]


def forms(text):
    return [text] if isinstance(text, str) else list(text)


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


def test_compiled_file_is_what_the_sentences_say(language):
    with path(language).open("rb") as file:
        fresh = io.BytesIO()
        mofile.write_mo(fresh, pofile.read_po(file, locale=language))
    assert path(language, "django.mo").read_bytes() == fresh.getvalue(), "make messages compiles them"


def test_every_sentence_is_translated_and_none_is_a_guess(language):
    unfinished = [
        message.id for message in sentences(language) if message.fuzzy or not all(forms(message.string or ""))
    ]
    assert unfinished == []


def test_placeholders_agree(language):
    wrong = []
    for message in sentences(language):
        expected = {frozenset(PLACEHOLDER.findall(form)) for form in forms(message.id)}
        wrong += [form for form in forms(message.string) if frozenset(PLACEHOLDER.findall(form)) not in expected]
    assert wrong == []


def test_plural_has_as_many_forms_as_the_language(language):
    with path(language).open("rb") as file:
        catalogue = pofile.read_po(file, locale=language)
    assert catalogue.plural_forms == "nplurals=2; plural=(n != 1);"
    assert {len(message.string) for message in catalogue if message.pluralizable} == {catalogue.num_plurals}


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext")
def test_every_sentence_of_the_source_is_there_and_no_other(tmp_path):
    copy = tmp_path / "mailroom"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "tests", "docs", "__pycache__", ".*_cache")
    shutil.copytree(settings.BASE_DIR, copy, ignore=ignored)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "manage.py", "makemessages"]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for code in LANGUAGES:
        with (copy / path(code).relative_to(settings.BASE_DIR)).open("rb") as file:
            needed = {str(message.id) for message in pofile.read_po(file, locale=code) if message.id}
        assert needed == {str(message.id) for message in sentences(code)}, "make messages collects them"
