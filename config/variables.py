"""The site's variables, besides the engine's settings, in the groups of docs/reference/settings.md."""

from config import database_url
from notifications.conf.declarations import LONGEST_DAYS, LONGEST_S, LONGEST_WAIT_S
from notifications.conf.setting import choice, filled, flag, items, number, text, whole
from notifications.rules.servers import LAST_PORT
from notifications.rules.text import one_line

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SiteVariables:
    """The site and its keys"""

    SECRET_KEY = text("", "signs sessions and links; at least 50 random characters", required=True)
    SECRET_KEY_FALLBACKS = items([], "earlier keys, while links made with them are still valid")
    DEBUG = flag(False, "never in production")
    ALLOWED_HOSTS = items(["127.0.0.1", "localhost"], "host names of the site")
    CSRF_TRUSTED_ORIGINS = items([], "other origins that may post forms")
    BEHIND_TLS_PROXY = flag(False, "the proxy in front sets X-Forwarded-Proto, and no client can")
    HSTS_SECONDS = whole(31_536_000, "how long browsers require https://, if SITE_URL is https://")
    HSTS_INCLUDE_SUBDOMAINS = flag(False, "for every subdomain too; only if all of them serve https://")
    HSTS_PRELOAD = flag(False, "asks browsers to put the domain on their built-in list; takes months to undo")
    DEFAULT_FROM_EMAIL = text("Mailroom <hello@mailroom.example>", "the sender", tidy=one_line)
    EMAIL_BACKEND = text(
        "notifications.backend.OutboxBackend",
        "for code that calls Django's `send_mail()`; the default [queues it](../how-to/send-django-email.md); never use"
        " one that prints",
    )
    STATIC_ROOT = filled("staticfiles", "where `collectstatic` writes")
    LOG_LEVEL = choice("INFO", "of the root logger", LOG_LEVELS)
    LOG_FORMAT = choice("line", "`line`, or `json`: [one object per line](../how-to/read-logs.md)", ("line", "json"))
    FLOWER_BASIC_AUTH = text("", "one user:password per line for Flower, which does not start without it")


class DatabaseVariables:
    """PostgreSQL"""

    DATABASE_URL = filled("postgres://mailroom@127.0.0.1:5432/mailroom", "PostgreSQL")
    DATABASE_POOL_SIZE = whole(
        20,
        "most connections per process; `config.run` and the containers set [each one's need](../how-to/deploy.md)",
        least=1,
    )
    DATABASE_TIMEOUT_S = number(
        10,
        "how long a web process, including the admin, waits for an answer of the database; workers and relay wait"
        " 2 minutes, commands without a limit",
        least=0.1,
        most=LONGEST_WAIT_S,
    )
    POSTGRES_HOST = text(
        "", "instead of `DATABASE_URL`: a host, several separated by commas, or the folder of a unix socket"
    )
    POSTGRES_PORT = whole(5432, "", least=1, most=LAST_PORT)
    POSTGRES_DB = filled("mailroom", "")
    POSTGRES_USER = filled("mailroom", "")
    POSTGRES_PASSWORD = text("", "")
    POSTGRES_SSLMODE = choice(
        "",
        "libpq's [sslmode](https://www.postgresql.org/docs/current/libpq-ssl.html); if empty, `verify-full` with"
        " `POSTGRES_CA_FILE`, otherwise libpq's default",
        tuple(database_url.SSL_MODES),
    )
    POSTGRES_CA_FILE = text("", "certificate of the authority that signed the server's")


class RedisVariables:
    """Redis, in parts, and for rate limits"""

    REDIS_HOST = text("", "instead of `REDIS_URL`")
    REDIS_PORT = whole(6379, "", least=1, most=LAST_PORT)
    REDIS_DB = whole(0, "")
    REDIS_USER = text("", "for servers with ACLs")
    REDIS_PASSWORD = text("", "")
    REDIS_TLS = flag(False, "")
    LIMITS_REDIS_URL = text("", "where rate limits are counted; if empty, in another database on `REDIS_URL`'s server")


class SmtpVariables:
    """SMTP, in parts"""

    SMTP_HOST = text("", "instead of `SMTP_URL`")
    SMTP_PORT = whole(587, "465 for `tls`, 25 for `none`", least=1, most=LAST_PORT)
    SMTP_USER = text("", "")
    SMTP_PASSWORD = text("", "")
    SMTP_SECURITY = choice("starttls", "`starttls`, `tls` or `none`", ("starttls", "tls", "none"))


class AccountsVariables:
    """Accounts"""

    PASSWORD_RESET_TIMEOUT_S = whole(3600, "how long a reset link works", least=1)
    CONFIRMATION_TIMEOUT_S = whole(3 * 86400, "how long a confirmation link works", least=1, most=LONGEST_S)
    UNCONFIRMED_DAYS = whole(
        7,
        "an account that was never confirmed is deleted this many days after its confirmation link was sent",
        most=LONGEST_DAYS,
    )
    CLIENT_LIMITS = text(
        "sign-up=20/minute,resend=20/minute,reset=20/minute,log-in=30/minute,failed-log-in=10/minute",
        "how often one client may do what: [how](rate-limits.md)",
    )
    ADDRESS_LIMITS = text(
        "mail=6/hour,reset=5/hour,failed-log-in=5/5 minutes,current-password=10/minute",
        "limits per address or user",
    )
    UNKNOWN_ADDRESS_LIMIT = text(
        "1000/hour",
        "how many requests for email to addresses without an account are stored, in total; the others get the same"
        " answer",
    )
    TRUSTED_PROXIES = whole(
        0,
        "the number of your proxies in front, each of which adds to X-Forwarded-For; too low counts all clients as one,"
        " too high lets clients forge their address",
    )


GROUPS: tuple[type, ...] = (SiteVariables, DatabaseVariables, RedisVariables, SmtpVariables, AccountsVariables)
