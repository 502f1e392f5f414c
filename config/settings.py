"""Django settings, read from the environment."""

from datetime import timedelta

from config import connections, endpoints
from config.environment import BASE_DIR, ROLE, env
from config.variables import AccountsVariables, DatabaseVariables, SiteVariables
from notifications import conf
from notifications.providers import registry  # noqa: F401 - declares the settings of each provider
from notifications.runtime.roles import Role

# --- The engine: notifications.conf and each provider declare the settings -----------------------------------------
_ENGINE = {setting.name: env.read(setting) for setting in conf.from_environment()}
globals().update(_ENGINE)

# --- The process and its keys ---------------------------------------------------------------------------------------
DEBUG = env.read(SiteVariables.DEBUG)
SECRET_KEY = env.read(SiteVariables.SECRET_KEY)
SECRET_KEY_FALLBACKS = env.read(SiteVariables.SECRET_KEY_FALLBACKS)
ALLOWED_HOSTS = env.read(SiteVariables.ALLOWED_HOSTS)
CSRF_TRUSTED_ORIGINS = env.read(SiteVariables.CSRF_TRUSTED_ORIGINS)

HTTPS = _ENGINE["SITE_URL"].lower().startswith("https://")

INSTALLED_APPS = [
    # First, so that its commands override Django's of the same name.
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "django_celery_results",
    "csp",
    "notifications",
    "config",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    # Outermost: redirects, static files and error pages get their headers too.
    "csp.middleware.CSPMiddleware",
    "config.middleware.SecureHeadersMiddleware",
    # Before any middleware that could read a body.
    "config.middleware.BodyLimitMiddleware",
    "config.middleware.UnusableInputMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Before any middleware that checks the host.
    "config.middleware.HealthProbeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.ratelimits.RememberRequesterMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.ratelimits.RateLimitedPageMiddleware",
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
                "config.context.site_name",
            ],
        },
    },
]

# --- The store ------------------------------------------------------------------------------------------------------
DATABASES = {"default": endpoints.database() | {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}}
# A pooler in transaction mode gives each transaction another session, so no cursor may stay open between them.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
_OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
_OPTIONS.setdefault("connect_timeout", 3)
# In ms, where the system supports it: notices a server that vanished, as in a failover.
_OPTIONS.setdefault("tcp_user_timeout", 10_000)
# A pool, because Celery closes Django's connection around each task, and web threads come and go.
DATABASE_POOL_SIZE = env.read(DatabaseVariables.DATABASE_POOL_SIZE)
# How long web processes, and the others, wait for an answer of the database. Commands wait without a limit.
DATABASE_TIMEOUT_S = env.read(DatabaseVariables.DATABASE_TIMEOUT_S)
DATABASE_PATIENCE_S = 120.0
if ROLE in {Role.WEB, Role.WORKER, Role.RELAY, Role.BEAT}:
    _OPTIONS["pool"] = connections.pool(
        size=DATABASE_POOL_SIZE, statement_s=DATABASE_TIMEOUT_S if ROLE == Role.WEB else DATABASE_PATIENCE_S
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The broker and the shared budget -------------------------------------------------------------------------------
REDIS_URL = endpoints.redis().url
# Separate, because anonymous requests create rate limit counters and must not fill the broker's database.
LIMITS_REDIS_URL = endpoints.limits_redis().url

# --- Users ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# Functions that the engine calls about a user: notifications.users.
USER_LANGUAGE = "accounts.recipients.language"
USER_HAS_CONFIRMED = "accounts.recipients.has_confirmed"
PREVIEW_USER = "accounts.recipients.preview_user"
LOGIN_URL = "accounts:log-in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "accounts:home"
CSRF_FAILURE_VIEW = "accounts.views.stale.csrf_failure"
# OWASP's parameters for Argon2id (19 MiB, t=2, p=1). Django's defaults take five times as long and add no security.
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
PASSWORD_RESET_TIMEOUT = env.read(AccountsVariables.PASSWORD_RESET_TIMEOUT_S)
# Rate limits per client and per address or user: accounts.ratelimits.
CLIENT_LIMITS = env.read(AccountsVariables.CLIENT_LIMITS)
ADDRESS_LIMITS = env.read(AccountsVariables.ADDRESS_LIMITS)
# Of requests for email to addresses without an account, in total. The others get the same answer and are not stored.
UNKNOWN_ADDRESS_LIMIT = env.read(AccountsVariables.UNKNOWN_ADDRESS_LIMIT)
# The number of our proxies in front of the site. Each adds to X-Forwarded-For; other entries are not trusted.
TRUSTED_PROXIES = env.read(AccountsVariables.TRUSTED_PROXIES)
CONFIRMATION_TIMEOUT = timedelta(seconds=env.read(AccountsVariables.CONFIRMATION_TIMEOUT_S))
# An account whose address is unconfirmed after this time is deleted.
UNCONFIRMED_DAYS = env.read(AccountsVariables.UNCONFIRMED_DAYS)

# --- Email ----------------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.read(SiteVariables.DEFAULT_FROM_EMAIL)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
SMTP_URL = endpoints.smtp()
# For code that calls Django's send_mail(): the outbox. A backend that prints would lose the email and reveal its links.
EMAIL_BACKEND = env.read(SiteVariables.EMAIL_BACKEND)

# --- Operators ------------------------------------------------------------------------------------------------------
DJANGO_CELERY_RESULTS_TASK_ID_MAX_LENGTH = 191

# --- Pages and language ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Of pages and emails. How to add one: docs/how-to/add-a-kind.md.
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
STATIC_ROOT = str(BASE_DIR / env.read(SiteVariables.STATIC_ROOT))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
# For a whole request, except webhooks: config.middleware.
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
# No form accepts files. Django's handlers would store the files even of a request that is refused.
FILE_UPLOAD_HANDLERS: list[str] = []

# --- Browser policies -----------------------------------------------------------------------------------------------
# Nothing inline, no eval, nothing from other sites. The admin works with it too.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ("'none'",),
        **dict.fromkeys(("script-src", "style-src", "img-src", "font-src", "connect-src", "form-action"), ("'self'",)),
        # The admin's previews of emails; all other pages refuse to be framed.
        "frame-src": ("'self'",),
        **dict.fromkeys(("base-uri", "frame-ancestors", "object-src"), ("'none'",)),
    }
}
X_FRAME_OPTIONS = "DENY"
# Other sites get no referrer. Pages with a token in their URL send only the origin: config.middleware.
SECURE_REFERRER_POLICY = "same-origin"

# --- Transport security, if SITE_URL is https:// --------------------------------------------------------------------
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.read(SiteVariables.HSTS_SECONDS) if HTTPS else 0
# Both apply to the whole domain for a year and cannot be undone, so the domain's owner decides.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.read(SiteVariables.HSTS_INCLUDE_SUBDOMAINS)
SECURE_HSTS_PRELOAD = env.read(SiteVariables.HSTS_PRELOAD)
# The first two: the settings above. The last prints the value; mailroom.E053 does not, and finds more errors.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "4_0.E001"]
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
if env.read(SiteVariables.BEHIND_TLS_PROXY):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs -----------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "config.json_logs.JsonLine"},
    },
    "filters": {
        "without_tokens": {"()": "config.logs.WithoutTokens"},
        "one_line": {"()": "config.logs.DatabaseInOneLine"},
        "without_traceback": {"()": "config.logs.WithoutTraceback"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.read(SiteVariables.LOG_FORMAT),
            "filters": ["without_tokens", "one_line"],
        }
    },
    "root": {"handlers": ["console"], "level": env.read(SiteVariables.LOG_LEVEL)},
    "loggers": {
        "django.security.DisallowedHost": {"filters": ["without_traceback"]},
        # Their debug lines contain request bodies: emails with their links, and API keys.
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # A line for each task that a worker receives; another says how the task ended.
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
