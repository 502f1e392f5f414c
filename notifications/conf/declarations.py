"""The engine's settings, grouped by the step that reads them. docs/reference/settings.md is generated from them."""

from notifications.conf.setting import (
    ca_file,
    days_kept,
    filled,
    flag,
    function,
    items,
    number,
    secret_url,
    text,
    url,
    whole,
)
from notifications.conf.value_checks import (
    check_name_in_subjects,
    check_page_address,
    check_recipient,
    check_recipients,
    check_redis_server,
    check_token,
)
from notifications.rules.text import one_line

# Databases and libraries accept no longer times.
LONGEST_DAYS = 3650
LONGEST_S = LONGEST_DAYS * 86_400
LONGEST_WAIT_S = 86_400


class ProcessSettings:
    """The process"""

    MAILROOM_ROLE = text(
        "manage", "what the process is for: `web`, `worker`, `relay`, `beat`, `flower` or `manage`", of_process=True
    )
    # A laptop or a test run. Never set where real people get email.
    MAILROOM_LOCAL = flag(
        False, "a developer's machine or a test run: the providers `simulator` and `recording` may be used"
    )


class SiteSettings:
    """The site that links in emails point to"""

    # Workers have no request to take it from.
    SITE_URL = url("http://127.0.0.1:8000", "where links in emails point to; https:// turns on secure cookies and HSTS")
    SITE_NAME = text("Mailroom", "the name in pages and emails", tidy=one_line, check=check_name_in_subjects)
    FLOWER_URL = url("", "where operators reach Flower; the admin links to it", check=check_page_address)


class UserSettings:
    """Users (dotted paths of functions, in the settings module only)"""

    USER_LANGUAGE = function("returns the language code for a user's email; empty: the site's language")
    USER_DISPLAY_NAME = function("returns the name that greets a user; empty: the full name")
    USER_IS_ACTIVE = function("decides whether a user may still get email; empty: `is_active`")
    USER_HAS_CONFIRMED = function(
        "decides whether a user has confirmed an address; empty: whether it is the user's address"
    )
    PREVIEW_USER = function("returns an unsaved user of a language for previews; empty: one with an address")


class RedisSettings:
    """The broker and the shared budget"""

    REDIS_URL = filled(
        "redis://127.0.0.1:6379/0",
        "Redis or Valkey, redis:// or rediss:// (TLS); use a separate database number",
        check=check_redis_server,
    )
    REDIS_CA_FILE = ca_file("the authority that signed the server's certificate; empty: the system's")


class ProvidersSettings:
    """Providers"""

    EMAIL_PROVIDERS = items(
        [],
        "names of providers, separated by commas: the preferred one first, then those that take over"
        " [while it is down](../explanation/failover.md). Each provider's settings are listed below",
    )


class ShadowSettings:
    """The trial beside another backend"""

    SHADOWED_BACKEND = filled(
        "django.core.mail.backends.smtp.EmailBackend",
        "the dotted path of the backend that `ShadowBackend` sends through:"
        " [Try Mailroom beside your present backend](../how-to/try-beside-your-backend.md)",
    )
    SHADOW_PERCENT = whole(0, "the percentage of addresses to which Mailroom sends instead", most=100)


class GuardSettings:
    """The staging guard"""

    ONLY_TO = items(
        [],
        "addresses and domains, separated by commas, that get their email; email to all others is not sent, or goes to"
        " `REDIRECT_TO`: [Stage](../how-to/stage.md)",
        check=check_recipients,
    )
    REDIRECT_TO = text("", "one address that gets all email instead", check=check_recipient)


class BudgetSettings:
    """Rates and limits"""

    EMAIL_RATE = text(
        "usual",
        "messages per second and provider, all workers together, like ses=10,sendgrid=50. A provider that is not named"
        " has its usual rate, and with `usual` all have it; empty: no limit",
    )
    # A stream that is not named has the provider's rate.
    EMAIL_STREAM_RATES = text("bulk=30", "the most messages per second of a stream")
    # Other streams may borrow what a stream does not use.
    EMAIL_STREAM_FLOORS = text(
        "critical=0.5,default=0.2,bulk=0.1",
        "the guaranteed share of each stream in the rate: [sending-rates.md](../explanation/sending-rates.md)",
    )
    # The account's own limit holds too.
    EMAIL_DAILY = text("", "messages per 24 hours and provider, like ses=50000; bulk stops at four fifths")
    # Other applications may use the account, and the provider throttles them all together.
    EMAIL_QUOTA_SHARE = number(0.8, "the share of the account's rate that Mailroom uses")
    EMAIL_FALLBACK_SHARE = number(0.1, "the share of the rate that each process may use while Redis is down")
    EMAIL_ADDRESS_HOURLY = whole(10, "the most messages of one kind to one address within an hour")


class EventsSettings:
    """Bounces and suppression"""

    SOFT_BOUNCE_LIMIT = whole(3, "messages that bounce softly before their address is suppressed")
    SOFT_BOUNCE_DAYS = whole(14, "the number of past days in which soft bounces count", most=LONGEST_DAYS)
    SUPPRESSION_COOL_OFF_H = number(
        24, "hours before a password reset may try a suppressed address again", most=LONGEST_S // 3600
    )


class BounceBrakeSettings:
    """The bounce brake"""

    # SES reviews accounts at 5 % and stops them at 10 %.
    BOUNCE_BRAKE_WINDOW_MIN = whole(
        60, "the minutes over which the [bounce brake](../explanation/bounce-brake.md) counts", most=LONGEST_S // 60
    )
    BOUNCE_BRAKE_MIN = whole(10, "hard bounces of sign-up email before the brake can engage")
    BOUNCE_BRAKE_SHARE = number(0.05, "the share of sign-up email that must bounce before the brake engages")
    BOUNCE_BRAKE_PER_MIN = number(6, "sign-up messages per minute while the brake is on")
    BOUNCE_BRAKE_QUEUE = whole(
        300,
        "messages that may wait for the brake; beyond that, messages of the busiest clients and domains are cancelled",
    )


class RetentionSettings:
    """Data retention"""

    ANONYMIZE_AFTER_DAYS = whole(
        7,
        "days after which ended messages that belong to no account [are anonymized](data-retention.md)",
        most=LONGEST_DAYS,
    )
    KEEP_CONTENT_DAYS = whole(
        7,
        "days after which files, further recipients and stored texts of ended messages"
        " [are deleted](data-retention.md#stored-content); 0: with the message",
        most=LONGEST_DAYS,
    )
    KEEP_MESSAGES_DAYS = days_kept(
        180,
        "days after which sent, suppressed, expired and cancelled messages [are deleted](data-retention.md), with their"
        " attempts, events and idempotency keys; at least 30, or 0: never",
        most=LONGEST_DAYS,
    )
    KEEP_DEAD_LETTERS_DAYS = days_kept(
        365, "the same for dead letters, counted from their last failure", most=LONGEST_DAYS
    )
    KEEP_EVENTS_DAYS = days_kept(
        90, "the same for what providers reported; the message keeps its outcome", most=LONGEST_DAYS
    )
    KEEP_RESULTS_DAYS = whole(7, "days after which Celery's results are deleted; 0: never", most=LONGEST_DAYS)


class DeliverySettings:
    """Delivery"""

    PROVIDER_CONNECT_TIMEOUT_S = number(3, "the longest wait for a connection", least=0.1, most=LONGEST_WAIT_S)
    PROVIDER_READ_TIMEOUT_S = number(10, "the longest wait between two reads", least=0.1, most=LONGEST_WAIT_S)
    # Connecting, sending and the answer.
    PROVIDER_DEADLINE_S = number(
        15, "the longest duration of a whole call; then its connection is shut down", least=0.1, most=LONGEST_WAIT_S
    )
    DELIVERY_LEASE_S = number(
        60, "how long a worker may hold a message; at least twice a whole call", least=0.1, most=LONGEST_WAIT_S
    )
    EMAIL_BATCH_SIZE = whole(
        500,
        "the most bulk messages in one call to a provider that has batches; with 1, each gets a separate call",
        least=1,
        most=1000,
    )
    # Encoded, they are a third larger, and Postmark takes 10 MB.
    EMAIL_MAX_BYTES = whole(
        7_000_000, "the most bytes of the files and the stored text of one email", least=1, most=30_000_000
    )
    UNCERTAIN_SETTLE_S = number(
        600, "how long an uncertain message waits before its kind's policy decides", most=LONGEST_S
    )


class RelaySettings:
    """The relay"""

    RELAY_INTERVAL_S = number(0.5, "pause between two rounds of the relay", least=0.01, most=LONGEST_WAIT_S)
    RELAY_HIGH_WATER = whole(40, "the most tasks in a broker queue; the rest stays in PostgreSQL", least=1)
    RELAY_CHUNK_SIZE = whole(
        20,
        "the most messages per task of a backlog; a task of bulk has a whole batch if the provider has batches",
        least=1,
    )


class MonitoringSettings:
    """Alerts and monitoring"""

    ALERT_WEBHOOK_URL = secret_url(
        "where problems are [announced](../how-to/monitor.md#send-alerts): an incoming webhook of Slack, Mattermost or"
        " another product that reads Slack's JSON; a secret"
    )
    ALERT_PING_URL = secret_url(
        "the ping URL of a check at Healthchecks or a compatible service, which alerts you when beat stops; a secret"
    )
    METRICS_TOKEN = text(
        "",
        "the bearer token that [`/metrics` and `/status.json`](../how-to/monitor.md#scrape-the-metrics) require; empty:"
        " neither exists",
        check=check_token,
    )


class Declarations(
    ProcessSettings,
    SiteSettings,
    UserSettings,
    RedisSettings,
    ProvidersSettings,
    ShadowSettings,
    GuardSettings,
    BudgetSettings,
    EventsSettings,
    BounceBrakeSettings,
    RetentionSettings,
    DeliverySettings,
    RelaySettings,
    MonitoringSettings,
):
    """All settings of the engine itself."""


GROUPS: tuple[type, ...] = Declarations.__bases__
