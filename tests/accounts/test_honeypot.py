import pytest
from django import forms
from django.template.loader import render_to_string

from accounts.forms import ConfirmAgainForm, SignUpForm
from accounts.honeypot import FormWithHoneypot


class Plain(FormWithHoneypot):
    email = forms.CharField()


GOOD = {"email": "ada@example.com", "password": "correct horse battery"}


@pytest.mark.parametrize("form", [Plain, SignUpForm])
@pytest.mark.parametrize("text", ["http://spam.example", "x", "\x00", "y" * 100_000])
def test_bot_is_recognized_and_sees_no_error(form, text):
    filled_in = form({**GOOD, "subject": text})
    assert filled_in.is_valid()
    assert filled_in.is_bot


@pytest.mark.parametrize("form", [Plain, SignUpForm])
@pytest.mark.parametrize("more", [{}, {"subject": ""}, {"website": "https://ada.example"}])
def test_user_is_not_taken_for_a_bot(form, more):
    filled_in = form({**GOOD, **more})
    assert filled_in.is_valid()
    assert not filled_in.is_bot


@pytest.mark.parametrize("form", [Plain, SignUpForm])
def test_field_is_hidden_from_users(form):
    page = render_to_string("accounts/form.html", {"form": form()})
    before, honeypot, after = page.partition('<div class="honeypot" aria-hidden="true">')
    field = after.partition("</div>")[0]
    assert honeypot
    assert 'tabindex="-1"' in field
    assert 'autocomplete="off"' in field
    assert "style=" not in page
    assert 'name="subject"' not in before + after.partition("</div>")[2]
    assert 'name="email"' in after


def test_form_without_a_honeypot_shows_none():
    assert "honeypot" not in render_to_string("accounts/form.html", {"form": ConfirmAgainForm()})
