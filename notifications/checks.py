"""System checks, which find unusable settings at the start."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeAlias

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it
from django.core.exceptions import ImproperlyConfigured
from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError

from notifications import conf, kinds, links
from notifications.budget import rates
from notifications.conf import checks as conf_checks
from notifications.conf import settings
from notifications.installation import django_email, requirements, shadowing
from notifications.providers.base import compose
from notifications.providers.base.deadline import call_s
from notifications.providers.null.backend import NULL
from notifications.providers.registry import PROVIDERS, webhook_of
from notifications.rules.servers import web_address
from notifications.rules.states import Stream
from notifications.runtime.roles import Role

Check: TypeAlias = Callable[..., Iterable[CheckMessage]]

PARTS = ("subject.txt", "body.txt", "body.html")
# Processes of these roles call no provider, so containers keep the providers' secrets from them.
NEVER_CALLS = {Role.WEB, Role.FLOWER}
#: What a deadline must leave for the answer after the longest wait for a connection.
ANSWER_S = 2.0


def register() -> None:
    checks.register(conf_checks.types, "mailroom")
    for check in (
        conf_checks.values,
        conf_checks.proxies,
        role,
        providers,
        provider_settings,
        simulator,
        guard,
        rate_settings,
        budget_shares,
        lease,
        provider_deadline,
        webhook_settings,
        kind_templates,
        django_email.queueing_backend,
        django_email.server_email,
        unsubscribe_links,
        site_url,
        from_address,
        limits,
        bounce_brake,
        requirements.postgresql,
        requirements.times,
        requirements.routers,
        requirements.user_model,
        requirements.broker,
        shadowing.shadowed_backend,
        shadowing.unguarded_backend,
        shadowing.null_provider,
    ):
        checks.register(_if_types_fit(check), "mailroom")


def _if_types_fit(check: Check) -> Check:
    # Checks nothing while a setting has the wrong type.
    @wraps(check)
    def checked(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
        return [] if any(conf.wrong_types()) else check(app_configs, **kwargs)

    return checked


def _not_yet_needed(name: str) -> bool:
    # The project has not set it and no process of this role uses it: a warning is enough.
    return not conf.is_set(name) and settings.MAILROOM_ROLE in NEVER_CALLS | {Role.MANAGE}


def role(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.MAILROOM_ROLE not in set(Role):
        yield Error("MAILROOM_ROLE is not a role.", hint=f"Use one of: {', '.join(Role)}.", id="mailroom.E001")


def providers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    hint = f"Name at least one of {', '.join(PROVIDERS)}, separated by commas, the preferred one first."
    if not settings.EMAIL_PROVIDERS and _not_yet_needed("EMAIL_PROVIDERS"):
        yield Warning("EMAIL_PROVIDERS is not set: messages are queued and not sent.", hint=hint, id="mailroom.W012")
    elif not settings.EMAIL_PROVIDERS:
        yield Error("EMAIL_PROVIDERS is empty.", hint=hint, id="mailroom.E002")
    for place, name in enumerate(settings.EMAIL_PROVIDERS, 1):
        if name not in PROVIDERS:
            yield Error(f"Item {place} of EMAIL_PROVIDERS is not a provider.", hint=hint, id="mailroom.E002")
    for name in PROVIDERS:
        if settings.EMAIL_PROVIDERS.count(name) > 1:
            yield Error(f"EMAIL_PROVIDERS names {name} more than once.", hint=hint, id="mailroom.E002")


def provider_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.MAILROOM_ROLE in NEVER_CALLS:
        return
    for name in settings.EMAIL_PROVIDERS:
        for setting in PROVIDERS[name].backend().missing_settings() if name in PROVIDERS else []:
            yield Error(
                f"EMAIL_PROVIDERS names {name}, but {setting} is not set.",
                hint=f"Set {setting} in the environment or take {name} out of EMAIL_PROVIDERS.",
                id="mailroom.E003",
            )


def simulator(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for name in settings.EMAIL_PROVIDERS if not settings.MAILROOM_LOCAL else []:
        # Another check is about `null`.
        if name in PROVIDERS and name != NULL and not PROVIDERS[name].backend().delivers:
            delivering = [each for each, spec in PROVIDERS.items() if spec.backend().delivers]
            yield Error(
                f"EMAIL_PROVIDERS names {name}, which delivers no email.",
                hint=f"Name one of {', '.join(delivering)}. On a developer's machine or in tests, set MAILROOM_LOCAL.",
                id="mailroom.E004",
            )


def guard(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    found = [PROVIDERS[name].backend() for name in settings.EMAIL_PROVIDERS if name in PROVIDERS]
    reaching = ", ".join(provider.title for provider in found if provider.reaches_people)
    guards = [name for name in ("ONLY_TO", "REDIRECT_TO") if getattr(settings, name)]
    if settings.DEBUG and reaching and not guards:
        yield Error(
            f"DEBUG is on, and {reaching} would send email to real people.",
            hint="Set ONLY_TO or REDIRECT_TO. If it must reach everyone, silence this check.",
            id="mailroom.E063",
        )
    if guards and not settings.DEBUG:
        yield Warning(
            f"A staging guard is on: not every recipient gets email, because of {' and '.join(guards)}.",
            hint="In production, remove it. On a staging system, silence this check.",
            id="mailroom.W016",
        )


def rate_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    per_second = "Messages per second: one number, or name=number pairs separated by commas."
    for setting, read, names, hint in (
        ("EMAIL_RATE", rates.parse_provider_rates, list(PROVIDERS), f"{per_second} Or `{rates.USUAL}`."),
        ("EMAIL_STREAM_RATES", rates.parse_rates, Stream.values, per_second),
        ("EMAIL_STREAM_FLOORS", rates.parse_floors, Stream.values, "Shares of the rate, like critical=0.5,bulk=0.1."),
        (
            "EMAIL_DAILY",
            rates.parse_daily,
            list(PROVIDERS),
            "Messages per 24 hours: one number, or pairs like ses=50000.",
        ),
    ):
        try:
            read(getattr(settings, setting), names)
        except rates.BadRateError as error:
            yield Error(f"{setting}: {error}.", hint=hint, id="mailroom.E005")


def budget_shares(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for setting in ("EMAIL_QUOTA_SHARE", "EMAIL_FALLBACK_SHARE"):
        if not 0 < getattr(settings, setting) <= 1:
            yield Error(
                f"{setting} is not a share of a rate.",
                hint="Set it above 0 and to at most 1.",
                id="mailroom.E005",
            )


def lease(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    longest_s = call_s()
    if 2 * longest_s > settings.DELIVERY_LEASE_S:
        yield Error(
            "DELIVERY_LEASE_S is shorter than two calls to a provider can take.",
            hint=f"Set it to at least {2 * longest_s:g}, or lower PROVIDER_DEADLINE_S.",
            id="mailroom.E006",
        )


def provider_deadline(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    needed_s = settings.PROVIDER_CONNECT_TIMEOUT_S + ANSWER_S
    if needed_s > settings.PROVIDER_DEADLINE_S:
        yield Error(
            "A slow connection alone can use up PROVIDER_DEADLINE_S.",
            hint=f"Set it to at least {needed_s:g}, or lower PROVIDER_CONNECT_TIMEOUT_S.",
            id="mailroom.E010",
        )


def webhook_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for webhook in filter(None, map(webhook_of, PROVIDERS)):
        for setting in webhook.unusable_settings():
            yield Error(
                f"{setting} cannot be used to verify the webhooks of {webhook.provider}.",
                hint=webhook.setting_hint,
                id="mailroom.E011",
            )


def kind_templates(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for kind in kinds.with_templates():
        for part in PARTS:
            name = f"emails/{kind.name}/{part}"
            try:
                # As rendering does: another engine, such as Jinja2, may come first.
                Engine.get_default().get_template(name)
            except (TemplateDoesNotExist, TemplateSyntaxError, ImproperlyConfigured) as error:
                yield Error(
                    f"The kind {kind.name!r} cannot be rendered: {type(error).__name__}: {error}.",
                    hint=f"Add templates/{name}, or fix it.",
                    id="mailroom.E007",
                )


def unsubscribe_links(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    bulk = [kind.name for kind in kinds.KINDS.values() if kind.stream == Stream.BULK]
    if bulk and not links.dead_unsubscribe_url():
        yield Warning(
            f"Bulk email ({', '.join(bulk)}) has no unsubscribe link: the project lacks the engine's URLs.",
            hint='Add path("", include("notifications.urls")) to the urlpatterns.',
            id="mailroom.W020",
        )


def site_url(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    parts = web_address(settings.SITE_URL)
    if parts is None or "?" in settings.SITE_URL or "#" in settings.SITE_URL:
        yield Error(
            "SITE_URL is not a web address, so links in email would not work.",
            hint="Set it to the site's address, like https://mail.example.com.",
            id="mailroom.E008",
        )
    elif not conf.is_set("SITE_URL") and not settings.DEBUG:
        yield Warning(
            "SITE_URL is not set: links in email point to this machine.",
            hint="Set it to the site's address, like https://mail.example.com.",
            id="mailroom.W013",
        )
    elif parts.scheme == "http" and not settings.DEBUG and not settings.MAILROOM_LOCAL:
        yield Warning(
            "SITE_URL is not https: links in email can be read on their way, and no email program offers to unsubscribe"
            " with one click.",
            hint="Serve the site over https and set SITE_URL to that address.",
            id="mailroom.W079",
        )


def from_address(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    try:
        compose.sender_header(settings.DEFAULT_FROM_EMAIL)
    except compose.BadSenderError as error:
        unset = _not_yet_needed("DEFAULT_FROM_EMAIL")
        yield (Warning if unset else Error)(
            f"DEFAULT_FROM_EMAIL cannot be used: {error}.",
            hint="Set it to one address the provider may send from, like Shop <hello@example.com>; quote a name with a"
            ' comma: "Shop, Inc." <hello@example.com>.',
            id="mailroom.W014" if unset else "mailroom.E009",
        )


def limits(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for setting in ("EMAIL_ADDRESS_HOURLY", "SOFT_BOUNCE_LIMIT", "SOFT_BOUNCE_DAYS", "ANONYMIZE_AFTER_DAYS"):
        if getattr(settings, setting) < 1:
            yield Error(f"{setting} is too small.", hint="Set it to 1 or more.", id="mailroom.E012")


def bounce_brake(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for setting, most in (
        ("BOUNCE_BRAKE_WINDOW_MIN", None),
        ("BOUNCE_BRAKE_MIN", None),
        ("BOUNCE_BRAKE_SHARE", 1),
        ("BOUNCE_BRAKE_PER_MIN", None),
        ("BOUNCE_BRAKE_QUEUE", None),
    ):
        value = getattr(settings, setting)
        if value <= 0 or (most is not None and value > most):
            hint = "Set it above 0" + (f" and to at most {most}." if most else ".")
            yield Error(f"{setting} is too small or too large.", hint=hint, id="mailroom.E016")
