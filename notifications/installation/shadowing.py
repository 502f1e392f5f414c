"""System checks of a trial beside another backend: docs/how-to/try-beside-your-backend.md."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from notifications.conf import settings
from notifications.providers.null.backend import NULL

SHADOW = "notifications.backend.ShadowBackend"
_OURS = "notifications."
_POST_OFFICE = "post_office."
_SENDS_NOTHING = [
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased", "locmem")
]


def is_shadowing() -> bool:
    try:
        classes = import_string(settings.EMAIL_BACKEND).__mro__
    except (ImportError, AttributeError):
        return False
    return any(f"{each.__module__}.{each.__qualname__}" == SHADOW for each in classes)


def shadowed_backend(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if not is_shadowing():
        return
    path = settings.SHADOWED_BACKEND
    try:
        module = import_string(path).__module__
    except (ImportError, AttributeError):
        module = ""
    if not module or module.startswith(_OURS):
        problem = "is Mailroom itself" if module else "cannot be imported"
        hint = "Set it to what EMAIL_BACKEND was before, like django.core.mail.backends.smtp.EmailBackend."
        yield Error(f"SHADOWED_BACKEND {problem}.", hint=hint, id="mailroom.E073")
    # Unless another one is set for it, post_office sends through EMAIL_BACKEND.
    if path.startswith(_POST_OFFICE) and not getattr(settings, "POST_OFFICE", {}).get("BACKENDS", {}).get("default"):
        yield Error(
            "post_office would send through EMAIL_BACKEND, which gives the email to post_office again.",
            hint='Set POST_OFFICE = {"BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"}}.',
            id="mailroom.E074",
        )


def unguarded_backend(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    guards = [name for name in ("ONLY_TO", "REDIRECT_TO") if getattr(settings, name)]
    if guards and is_shadowing() and settings.SHADOWED_BACKEND not in _SENDS_NOTHING:
        yield Error(
            f"{' and '.join(guards)} does not hold for what SHADOWED_BACKEND sends.",
            hint="On a staging system, shadow django.core.mail.backends.console.EmailBackend, or silence this check.",
            id="mailroom.E078",
        )


def null_provider(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if NULL not in settings.EMAIL_PROVIDERS:
        return
    problem = ""
    if len(settings.EMAIL_PROVIDERS) > 1:
        problem = "EMAIL_PROVIDERS names null and others, but null sends nothing."
    elif not is_shadowing():
        problem = "The provider null sends nothing, and EMAIL_BACKEND is not ShadowBackend."
    elif settings.SHADOW_PERCENT:
        problem = "The provider null sends nothing, but with SHADOW_PERCENT Mailroom must send."
    if problem:
        hint = f"Name the providers that send in EMAIL_PROVIDERS. {NULL} is for a trial with SHADOW_PERCENT = 0."
        yield Error(problem, hint=hint, id="mailroom.E075")
