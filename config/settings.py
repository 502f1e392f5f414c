"""Django settings, all of them from the environment, grouped by the step that reads them."""

from datetime import timedelta

from accounts import typed
from config import connections, endpoints
from config.environment import BASE_DIR, ROLE, Role, env

# No database, library or person reckons with longer times.
LONGEST_DAYS = 3650
LONGEST_S = LONGEST_DAYS * 86_400
LONGEST_WAIT_S = 86_400

# --- The process and its keys ---------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# A laptop or a test run: the provider simulator may be used. Never set where real people get mail.
LOCAL = env.bool("MAILROOM_LOCAL", default=False)
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- The site that links in mail point to (workers have no request to ask) ------------------------------------------
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
SITE_NAME = typed.one_line(env.str("SITE_NAME", default="Mailroom"))
HTTPS = SITE_URL.lower().startswith("https://")

INSTALLED_APPS = [
    # First, so that its commands are found before Django's of the same name.
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "anymail",
    "django_celery_results",
    "csp",
    "notifications",
]

MIDDLEWARE = [
    # The outermost two: their headers are on redirects, files and error pages too.
    "csp.middleware.CSPMiddleware",
    "config.headers.PrivateLinks",
    # Before whatever could read a body.
    "config.bodies.RefuseLargeBodies",
    "config.nul.RefuseNul",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Before anything that looks at the host.
    "config.probes.AnswerProbes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.throttling.RememberAsker",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.language.PagesLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.throttling.TooManyPage",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
        },
    },
]

# --- The store ------------------------------------------------------------------------------------------------------
DATABASES = {"default": endpoints.database() | {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}}
# A pooler in transaction mode gives every transaction another session: no cursor may stay open in one.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
_OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
_OPTIONS.setdefault("connect_timeout", 3)
# In ms, where the system knows it: a server that vanished without a word, as in a fail-over.
_OPTIONS.setdefault("tcp_user_timeout", 10_000)
# Celery closes Django's connection around every task, and threads of a web process come and go: both want a pool.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=20, least=1)
# How long an answer of the database is waited for: by people, and by what has nobody waiting. Commands wait for ever.
DATABASE_TIMEOUT_S = env.float("DATABASE_TIMEOUT_S", default=10, least=0.1, most=LONGEST_WAIT_S)
DATABASE_PATIENCE_S = 120.0
if ROLE in {Role.WEB, Role.WORKER, Role.RELAY, Role.BEAT}:
    _OPTIONS["pool"] = connections.pool(
        size=DATABASE_POOL_SIZE, statement_s=DATABASE_TIMEOUT_S if ROLE == Role.WEB else DATABASE_PATIENCE_S
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The broker and the shared budget -------------------------------------------------------------------------------
REDIS_URL = endpoints.redis().url
# Counters of rate limits: anonymous requests must not fill the broker's database.
LIMITS_REDIS_URL = endpoints.limits_redis().url
REDIS_CA_FILE = env.str("REDIS_CA_FILE", default="")

# --- People ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:log-in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "accounts:home"
CSRF_FAILURE_VIEW = "accounts.views.stale.csrf_failure"
# OWASP's parameters for Argon2id (19 MiB, t=2, p=1). Django's defaults take five times as long for no more safety.
PASSWORD_HASHERS = [
    "accounts.hashers.OwaspArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_TIMEOUT_S", default=3600, least=1)
# How often one client may do what, and what one address (or its member) may be asked for: accounts.throttling.
CLIENT_LIMITS = env.str(
    "CLIENT_LIMITS",
    default="sign-up=20/minute,resend=20/minute,reset=20/minute,log-in=30/minute,failed-log-in=10/minute",
)
ADDRESS_LIMITS = env.str(
    "ADDRESS_LIMITS", default="mail=6/hour,reset=5/hour,failed-log-in=5/5 minutes,current-password=10/minute"
)
# Requests for email to addresses without an account, all together. More are answered alike and not written down.
UNKNOWN_ADDRESS_LIMIT = env.str("UNKNOWN_ADDRESS_LIMIT", default="1000/hour")
# How many proxies of ours stand in front of the site. Each adds to X-Forwarded-For; what else is in it is not believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
CONFIRMATION_TIMEOUT = timedelta(seconds=env.int("CONFIRMATION_TIMEOUT_S", default=3 * 86400, least=1, most=LONGEST_S))
# An account whose address nobody has confirmed by then is deleted.
UNCONFIRMED_DAYS = env.int("UNCONFIRMED_DAYS", default=7, most=LONGEST_DAYS)

# --- Mail: who carries it -------------------------------------------------------------------------------------------
# Mail goes by the first of the list that takes it.
EMAIL_PROVIDERS = env.list("EMAIL_PROVIDERS", default=["simulator"])
DEFAULT_FROM_EMAIL = typed.one_line(env.str("DEFAULT_FROM_EMAIL", default="Mailroom <hello@mailroom.example>"))
SERVER_EMAIL = DEFAULT_FROM_EMAIL
SENDGRID_API_KEY = env.str("SENDGRID_API_KEY", default="")
SENDGRID_API_URL = env.filled("SENDGRID_API_URL", default="https://api.sendgrid.com/v3/")
POSTMARK_SERVER_TOKEN = env.str("POSTMARK_SERVER_TOKEN", default="")
POSTMARK_API_URL = env.filled("POSTMARK_API_URL", default="https://api.postmarkapp.com/")
SES_REGION = env.str("SES_REGION", default="")
SES_CONFIGURATION_SET = env.str("SES_CONFIGURATION_SET", default="")
SES_ENDPOINT_URL = env.str("SES_ENDPOINT_URL", default="")
SMTP_URL = endpoints.smtp()
SMTP_CA_FILE = env.str("SMTP_CA_FILE", default="")
SIMULATOR_URL = env.str("SIMULATOR_URL", default="").rstrip("/")
# For code that calls Django's own send_mail(): never a print, which would lose the email and show its links.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="config.refusal.RefusingBackend")

# --- Mail: how fast -------------------------------------------------------------------------------------------------
# Messages per second for all workers together: a number for every provider, or a number for each (ses=10,sendgrid=50).
EMAIL_RATE = env.str("EMAIL_RATE", default="ses=10,sendgrid=50,postmark=10,smtp=5,simulator=50")
# A ceiling per stream, in messages per second; a stream that is not named has the provider's rate.
EMAIL_STREAM_RATES = env.str("EMAIL_STREAM_RATES", default="bulk=30")
# What each stream always gets of its provider's rate, as shares of it; what it leaves idle the others may borrow.
EMAIL_STREAM_FLOORS = env.str("EMAIL_STREAM_FLOORS", default="critical=0.5,default=0.2,bulk=0.1")
# Messages per 24 hours, as EMAIL_RATE; bulk mail stops at four fifths of it. The account's own limit holds too.
EMAIL_DAILY = env.str("EMAIL_DAILY", default="")
# How much of the account's own rate is aimed at: others may use the account, and all of it still gets throttled.
EMAIL_QUOTA_SHARE = env.float("EMAIL_QUOTA_SHARE", default=0.8)
# What each process may send on its own, as a share of the rate, while Redis is away.
EMAIL_FALLBACK_SHARE = env.float("EMAIL_FALLBACK_SHARE", default=0.1)
# No address is sent more than this many messages of one kind within an hour, whoever asks for them.
EMAIL_ADDRESS_HOURLY = env.int("EMAIL_ADDRESS_HOURLY", default=10)

# --- Mail: what providers report ------------------------------------------------------------------------------------
# A signature only proves that some AWS account published a message; these topics are ours.
SES_WEBHOOK_TOPICS = env.list("SES_WEBHOOK_TOPICS", default=[])
# Read on a developer's machine only: the certificate the simulator signs SNS messages with.
SNS_CERTIFICATE_FILE = env.str("SNS_CERTIFICATE_FILE", default="")
SENDGRID_WEBHOOK_KEY = env.str("SENDGRID_WEBHOOK_KEY", default="")
POSTMARK_WEBHOOK_AUTH = env.str("POSTMARK_WEBHOOK_AUTH", default="")
SIMULATOR_WEBHOOK_KEY = env.str("SIMULATOR_WEBHOOK_KEY", default="")
# Soft bounces suppress an address after so many mails within so many days, without a delivery between them.
SOFT_BOUNCE_LIMIT = env.int("SOFT_BOUNCE_LIMIT", default=3)
SOFT_BOUNCE_DAYS = env.int("SOFT_BOUNCE_DAYS", default=14, most=LONGEST_DAYS)
# After so many hours one message of a kind that may probe goes to an address with soft bounces.
SUPPRESSION_COOL_OFF_H = env.float("SUPPRESSION_COOL_OFF_H", default=24, most=LONGEST_S // 3600)
# The bounce brake: within so many minutes, from so many hard bounces and such a share of mail to unconfirmed addresses
# on (SES looks into accounts at 5 % and stops them at 10 %), such mail leaves at so many a minute.
BOUNCE_BRAKE_WINDOW_MIN = env.int("BOUNCE_BRAKE_WINDOW_MIN", default=60, most=LONGEST_S // 60)
BOUNCE_BRAKE_MIN = env.int("BOUNCE_BRAKE_MIN", default=10)
BOUNCE_BRAKE_SHARE = env.float("BOUNCE_BRAKE_SHARE", default=0.05)
BOUNCE_BRAKE_PER_MIN = env.float("BOUNCE_BRAKE_PER_MIN", default=6)
# At most so many wait for it; of more, those of the clients and domains with the most are dropped.
BOUNCE_BRAKE_QUEUE = env.int("BOUNCE_BRAKE_QUEUE", default=300)

# --- Mail: what is forgotten ----------------------------------------------------------------------------------------
# Mail of no account, once it has ended.
FORGET_AFTER_DAYS = env.int("FORGET_AFTER_DAYS", default=7, most=LONGEST_DAYS)

# --- Mail: delivery -------------------------------------------------------------------------------------------------
PROVIDER_CONNECT_TIMEOUT_S = env.float("PROVIDER_CONNECT_TIMEOUT_S", default=3, least=0.1, most=LONGEST_WAIT_S)
PROVIDER_READ_TIMEOUT_S = env.float("PROVIDER_READ_TIMEOUT_S", default=10, least=0.1, most=LONGEST_WAIT_S)
# Of a whole call: connecting, sending and the answer.
PROVIDER_DEADLINE_S = env.float("PROVIDER_DEADLINE_S", default=15, least=0.1, most=LONGEST_WAIT_S)
DELIVERY_LEASE_S = env.float("DELIVERY_LEASE_S", default=60, least=0.1, most=LONGEST_WAIT_S)
UNCERTAIN_SETTLE_S = env.float("UNCERTAIN_SETTLE_S", default=600, most=LONGEST_S)

# --- Mail: the relay ------------------------------------------------------------------------------------------------
RELAY_INTERVAL_S = env.float("RELAY_INTERVAL_S", default=0.5, least=0.01, most=LONGEST_WAIT_S)
# How many tasks may wait in a broker queue before the relay leaves the rest in PostgreSQL.
RELAY_HIGH_WATER = env.int("RELAY_HIGH_WATER", default=40, least=1)
RELAY_CHUNK_SIZE = env.int("RELAY_CHUNK_SIZE", default=20, least=1)

# --- Operators ------------------------------------------------------------------------------------------------------
# Where Flower answers in the operator's browser; the admin links tasks to it. Empty: no links.
FLOWER_URL = env.str("FLOWER_URL", default="").rstrip("/")
DJANGO_CELERY_RESULTS_TASK_ID_MAX_LENGTH = 191

# --- Pages and language ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# In which people get pages and mail; docs/kinds.md says how to add one.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"  # as accounts.views.language sets it
LANGUAGE_COOKIE_SECURE = HTTPS
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = env.filled("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
# Of a whole request, but for webhooks: config.bodies.
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
# No form takes files. Django's own handlers would keep those of a request that is refused anyway.
FILE_UPLOAD_HANDLERS: list[str] = []

# --- What a browser may do with a page ------------------------------------------------------------------------------
# Nothing inline, no eval, nothing from elsewhere; the admin lives with it too.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ("'none'",),
        **dict.fromkeys(("script-src", "style-src", "img-src", "font-src", "connect-src", "form-action"), ("'self'",)),
        **dict.fromkeys(("base-uri", "frame-ancestors", "object-src"), ("'none'",)),
    }
}
X_FRAME_OPTIONS = "DENY"
# To other sites nothing. Pages whose own address is a secret tell not even ours: config.headers.
SECURE_REFERRER_POLICY = "same-origin"

# --- Transport security, on as soon as the site is served over HTTPS ------------------------------------------------
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
# Both speak for the whole domain, for a year, and cannot be taken back: its owner decides, not this site's address.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
# The last shows the value; mailroom.E053 does not, and finds more.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "4_0.E001"]
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs -----------------------------------------------------------------------------------------------------------
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {
        "without_tokens": {"()": "config.logs.WithoutTokens"},
        "one_line": {"()": "config.logs.DatabaseInOneLine"},
        "without_traceback": {"()": "config.logs.WithoutTraceback"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without_tokens", "one_line"],
        }
    },
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", LOG_LEVELS, default="INFO")},
    "loggers": {
        "django.security.DisallowedHost": {"filters": ["without_traceback"]},
        # Their debug lines hold request bodies: the mail, its links and the API keys.
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}
