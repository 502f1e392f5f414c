"""Every setting of the engine, grouped by the step that reads it. docs/reference/settings.md is generated from this."""

from notifications.conf.setting import filled, flag, function, items, number, text, url, whole
from notifications.rules.text import one_line

# No database, library or person reckons with longer times.
LONGEST_DAYS = 3650
LONGEST_S = LONGEST_DAYS * 86_400
LONGEST_WAIT_S = 86_400


class ProcessSettings:
    """The process"""

    MAILROOM_ROLE = text(
        "manage", "what the process is for: `web`, `worker`, `relay`, `beat`, `flower` or `manage`", of_process=True
    )
    # A laptop or a test run. Never set where real people get email.
    MAILROOM_LOCAL = flag(False, "a developer's machine: the simulator may be used")


class SiteSettings:
    """The site that links in email lead to"""

    # Workers have no request to ask.
    SITE_URL = url("http://127.0.0.1:8000", "where links in mail point to; https:// turns on secure cookies and HSTS")
    SITE_NAME = text("Mailroom", "the name in pages and mail", tidy=one_line)
    FLOWER_URL = url("", "where operators reach Flower; the admin links to it")


class UserSettings:
    """Users (dotted paths of functions, in the settings module only)"""

    USER_LANGUAGE = function("from a user to the code of the language to write in; empty: the site's own")
    USER_DISPLAY_NAME = function("from a user to the name to address them by; empty: their full name")
    USER_IS_ACTIVE = function("whether a user may still be written to; empty: `is_active`")
    USER_HAS_CONFIRMED = function(
        "from a user and an address: whether they have proven to read email there; empty: whether it is theirs"
    )
    PREVIEW_USER = function("from a language to an unsaved user for previews; empty: one with an address")


class RedisSettings:
    """The broker and the shared budget"""

    REDIS_URL = filled(
        "redis://127.0.0.1:6379/0",
        "Redis or Valkey, redis:// or rediss:// (TLS); a database number of its own",
    )
    REDIS_CA_FILE = text("", "the authority that signed the server's certificate; empty: the system's")


class ProvidersSettings:
    """Who carries email"""

    EMAIL_PROVIDERS = items(
        [],
        "one or more of `ses`, `sendgrid`, `postmark`, `smtp` and `simulator`, separated by commas; the preferred one"
        " first, the next [while it is down](../explanation/failover.md)",
    )
    SENDGRID_API_KEY = text(
        "", 'needs the permission "Mail Send"; "Suppressions" too, to take addresses off SendGrid\'s lists'
    )
    SENDGRID_API_URL = filled("https://api.sendgrid.com/v3/", "another one for the EU region")
    POSTMARK_SERVER_TOKEN = text("", "of the server in Postmark that sends")
    POSTMARK_API_URL = filled("https://api.postmarkapp.com/", "")
    SES_REGION = text("", "like eu-central-1; credentials as boto3 finds them")
    SES_CONFIGURATION_SET = text(
        "",
        "without one nothing is known of a mail after SES took it: [set-up-webhooks.md](../how-to/set-up-webhooks.md)",
    )
    SES_ENDPOINT_URL = text("", "only for another endpoint than the region's")
    SMTP_URL = text(
        "",
        "smtp+tls:// (STARTTLS, port 587), smtp+ssl:// (port 465) or smtp:// (plain, port 25), then"
        " user:password@host:port",
    )
    SMTP_CA_FILE = text("", "the authority that signed the server's certificate; empty: the system's")
    SIMULATOR_URL = url("", "where the simulator answers")


class BudgetSettings:
    """How fast email leaves"""

    EMAIL_RATE = text(
        "usual",
        "messages per second and provider, all workers together, like ses=10,sendgrid=50; `usual`: 10 for SES and"
        " Postmark, 50 for SendGrid and the simulator, 5 for SMTP",
    )
    # A stream that is not named has the provider's rate.
    EMAIL_STREAM_RATES = text("bulk=30", "a ceiling per stream, messages per second")
    # What a stream leaves idle the others may borrow.
    EMAIL_STREAM_FLOORS = text(
        "critical=0.5,default=0.2,bulk=0.1",
        "what each stream always gets, as shares of the provider's rate; [how](../explanation/sending-rates.md)",
    )
    # The account's own limit holds too.
    EMAIL_DAILY = text("", "messages per 24 hours and provider, like ses=50000; bulk stops at four fifths")
    # Others may use the account, and all of it still gets throttled.
    EMAIL_QUOTA_SHARE = number(0.8, "how much of the account's own rate is aimed at")
    EMAIL_FALLBACK_SHARE = number(0.1, "what each process may send of the rate while Redis is away")
    EMAIL_ADDRESS_HOURLY = whole(10, "messages of one kind to one address within an hour, at most")


class EventsSettings:
    """What providers report"""

    # A signature only proves that some AWS account published a message.
    SES_WEBHOOK_TOPICS = items([], "ARNs of the SNS topics SES publishes its events to; no other topic is believed")
    SNS_CERTIFICATE_FILE = text("", "a developer's machine only: the certificate local SNS messages are signed with")
    SENDGRID_WEBHOOK_KEY = text("", "the verification key of the signed event webhook, as SendGrid shows it")
    POSTMARK_WEBHOOK_AUTH = text("", "user:password that Postmark's webhooks are sent with")
    SIMULATOR_WEBHOOK_KEY = text("", "the verification key of the simulator's webhooks")
    SOFT_BOUNCE_LIMIT = whole(3, "mails that bounced softly before their address is suppressed")
    SOFT_BOUNCE_DAYS = whole(14, "the days in which they are counted", most=LONGEST_DAYS)
    SUPPRESSION_COOL_OFF_H = number(
        24, "hours before a password reset may try such an address again", most=LONGEST_S // 3600
    )


class BounceBrakeSettings:
    """The bounce brake"""

    # SES looks into accounts at 5 % and stops them at 10 %.
    BOUNCE_BRAKE_WINDOW_MIN = whole(
        60, "the minutes over which the [bounce brake](../explanation/bounce-brake.md) counts", most=LONGEST_S // 60
    )
    BOUNCE_BRAKE_MIN = whole(10, "hard bounces of sign-up mail before it can engage")
    BOUNCE_BRAKE_SHARE = number(0.05, "the share of sign-up mail that has to bounce for it")
    BOUNCE_BRAKE_PER_MIN = number(6, "sign-up mails a minute while it is on")
    BOUNCE_BRAKE_QUEUE = whole(
        300, "messages that may wait for the brake; of more, those of the busiest clients and domains are cancelled"
    )


class RetentionSettings:
    """What is anonymized"""

    ANONYMIZE_AFTER_DAYS = whole(
        7,
        "days after which mail of no account [is anonymized](data-retention.md), once it has ended",
        most=LONGEST_DAYS,
    )


class DeliverySettings:
    """Delivery"""

    PROVIDER_CONNECT_TIMEOUT_S = number(3, "", least=0.1, most=LONGEST_WAIT_S)
    PROVIDER_READ_TIMEOUT_S = number(10, "between two reads", least=0.1, most=LONGEST_WAIT_S)
    # Connecting, sending and the answer.
    PROVIDER_DEADLINE_S = number(
        15, "for a whole call; then its connection is shut down", least=0.1, most=LONGEST_WAIT_S
    )
    DELIVERY_LEASE_S = number(
        60, "how long a worker may hold a message; at least twice a whole call", least=0.1, most=LONGEST_WAIT_S
    )
    UNCERTAIN_SETTLE_S = number(
        600, "how long an uncertain message waits before its kind's policy decides", most=LONGEST_S
    )


class RelaySettings:
    """The relay"""

    RELAY_INTERVAL_S = number(0.5, "pause between two rounds of the relay", least=0.01, most=LONGEST_WAIT_S)
    RELAY_HIGH_WATER = whole(40, "tasks in a broker queue before the rest stays in PostgreSQL", least=1)
    RELAY_CHUNK_SIZE = whole(20, "messages per task of a backlog at most", least=1)


GROUPS: tuple[type, ...] = (
    ProcessSettings,
    SiteSettings,
    UserSettings,
    RedisSettings,
    ProvidersSettings,
    BudgetSettings,
    EventsSettings,
    BounceBrakeSettings,
    RetentionSettings,
    DeliverySettings,
    RelaySettings,
)


class Declarations(
    ProcessSettings,
    SiteSettings,
    UserSettings,
    RedisSettings,
    ProvidersSettings,
    BudgetSettings,
    EventsSettings,
    BounceBrakeSettings,
    RetentionSettings,
    DeliverySettings,
    RelaySettings,
):
    """All of them."""
