"""Settings of the Python peers. BENCH_PEER names the peer, BENCH_RENDERS whether it renders when it sends."""

import os
import warnings
from urllib.parse import urlsplit

# Anymail says at every construction that its SendGrid adapter is not tested any more.
warnings.filterwarnings("ignore", module="anymail")

PEER = os.environ["BENCH_PEER"]
BACKEND = "devtools.benchmarks.throughput.peers.rendering.RenderingBackend"
APPS = {
    "celery": ["django_celery_results", "devtools.benchmarks.throughput.peers"],
    "celery-email": ["djcelery_email"],
    "post_office": ["post_office"],
    "mailer": ["mailer"],
}

_url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path[1:],
        "USER": _url.username,
        "PASSWORD": _url.password,
        "HOST": _url.hostname,
        "PORT": _url.port,
    }
}
SECRET_KEY = "for a benchmark only"  # noqa: S105 - nothing is signed with it
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "anymail", *APPS[PEER]]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
ANYMAIL = {"SENDGRID_API_KEY": os.environ["BENCH_API_KEY"], "SENDGRID_API_URL": os.environ["BENCH_API_URL"]}
EMAIL_BACKEND = {
    "celery": BACKEND,
    "celery-email": "djcelery_email.backends.CeleryEmailBackend",
    "post_office": "post_office.EmailBackend",
    "mailer": "mailer.backend.DbBackend",
}[PEER]

CELERY_BROKER_URL = os.environ["REDIS_URL"]
CELERY_EMAIL_BACKEND = BACKEND
if PEER == "celery":
    CELERY_RESULT_BACKEND = "django-db"
if os.environ.get("BENCH_PERSISTENT"):
    # CONN_MAX_AGE alone changes nothing: Celery closes all connections after a task, unless this setting limits it.
    CELERY_DB_REUSE_MAX = 1_000_000_000
    DATABASES["default"]["CONN_MAX_AGE"] = None

POST_OFFICE = {
    "BACKENDS": {"default": BACKEND},
    "THREADS_PER_PROCESS": int(os.environ.get("BENCH_THREADS", "5")),
    # Ten times the default: with several processes it starts them again for each batch.
    "BATCH_SIZE": 1000,
}
MAILER_EMAIL_BACKEND = BACKEND
MAILER_LOCK_PATH = os.environ.get("BENCH_LOCK")
