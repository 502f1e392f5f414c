"""A project of years ago, as it is before it installs the engine.

Settings in a package, UUIDs and other names for users, Celery with queues, routes, periodic tasks and results, two
kinds of databases behind a router, two languages, a transaction for each request, JSON views, and tests.
"""

BASE = """
import os
from pathlib import Path

from celery.schedules import crontab

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = "years-old-years-old-years-old-years-old-years-old-0"
ALLOWED_HOSTS = ["localhost", "testserver"]
INSTALLED_APPS = [
    *(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")),
    "django.contrib.sites",
    "django_celery_beat",
    "customers",
    "orders",
    "archive",
]
SITE_ID = 1
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "shop.urls"
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
            ]
        },
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "ATOMIC_REQUESTS": True},
    "archive": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "archive.sqlite3"},
}
DATABASE_ROUTERS = ["archive.router.Router"]
AUTH_USER_MODEL = "customers.Customer"
LANGUAGE_CODE = "de"
LANGUAGES = [("de", "Deutsch"), ("en", "English")]
TIME_ZONE = "Europe/Berlin"
USE_I18N = USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "collected"
ADMINS = [("Root", "root@example.com")]
DEFAULT_FROM_EMAIL = "Shop <hello@shop.example.com>"
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

CELERY_BROKER_URL = os.environ["OLD_BROKER"]
CELERY_RESULT_BACKEND = os.environ["OLD_RESULTS"]
CELERY_TASK_DEFAULT_QUEUE = "jobs"
CELERY_TASK_ROUTES = {"orders.tasks.report": {"queue": "reports", "routing_key": "reports"}}
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 43200}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {"nightly": {"task": "orders.tasks.report", "schedule": crontab(hour=3)}}
"""
DEV = """
from .base import *  # noqa: F403

DEBUG = True
"""
PROD = """
from .base import *  # noqa: F403

DEBUG = False
"""
TEST = """
from .base import *  # noqa: F403

DEBUG = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
MANAGE = """
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.dev")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
CELERY = """
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.dev")
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""
INIT = """
from .celery import app as celery_app

__all__ = ("celery_app",)
"""
URLS = """
from django.contrib import admin
from django.urls import include, path

from orders import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("api/orders/", views.orders),
    path("orders/<uuid:customer>/", views.waiting),
]
"""
CUSTOMERS = """
import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class Manager(BaseUserManager):
    def create_user(self, login, contact_address, password=None, **fields):
        customer = self.model(login=login, contact_address=contact_address, **fields)
        customer.set_password(password)
        customer.save()
        return customer

    def create_superuser(self, login, contact_address, password=None, **fields):
        return self.create_user(login, contact_address, password, is_staff=True, is_superuser=True, **fields)


class Customer(AbstractBaseUser, PermissionsMixin):
    customer_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    login = models.CharField(max_length=50, unique=True)
    contact_address = models.EmailField()
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = Manager()
    USERNAME_FIELD = "login"
    EMAIL_FIELD = "contact_address"
    REQUIRED_FIELDS = ["contact_address"]
"""
ORDERS = """
from django.conf import settings
from django.db import models


class Order(models.Model):
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    total = models.DecimalField(max_digits=8, decimal_places=2)
"""
VIEWS = """
import json

from django.contrib.auth import get_user_model
from django.core.mail import mail_admins, send_mail
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from .models import Order
from .tasks import report


@csrf_exempt
def orders(request):
    given = json.loads(request.body)
    customer = get_user_model().objects.get(login=given["login"])
    order = Order.objects.create(customer=customer, total=given["total"])
    send_mail(f"Bestellung {order.pk}", "Danke!", None, [customer.contact_address])
    mail_admins("Neue Bestellung", f"{order.pk}")
    if given.get("fail"):
        raise RuntimeError("a bug after the email")
    report.delay(order.pk)
    return JsonResponse({"id": order.pk}, status=201)


def waiting(request, customer):
    from notifications.models import Message

    message = Message.objects.filter(user=customer).latest("created_at")
    return render(request, "waiting.html", {"message": message})
"""
TASKS = """
from celery import shared_task


@shared_task
def report(pk=0):
    return pk
"""
ARCHIVE = """
from django.db import models


class Record(models.Model):
    text = models.TextField()
"""
ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "archive" if model._meta.app_label == "archive" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return db == "archive" if app_label == "archive" else None
"""
ITS_TESTS = """
import json

import pytest
from django.contrib.auth import get_user_model


@pytest.mark.django_db(databases=["default", "archive"])
def test_customer_gets_a_confirmation(client, mailoutbox):
    get_user_model().objects.create_user("ada", "ada@example.com")
    body = json.dumps({"login": "ada", "total": "19.90"})
    assert client.post("/api/orders/", body, content_type="application/json").status_code == 201
    assert [message.to for message in mailoutbox] == [["ada@example.com"], ["root@example.com"]]


@pytest.mark.django_db(transaction=True)
def test_order_with_a_commit(client, mailoutbox):
    get_user_model().objects.create_user("ada", "ada@example.com")
    body = json.dumps({"login": "ada", "total": "19.90"})
    assert client.post("/api/orders/", body, content_type="application/json").status_code == 201
    assert len(mailoutbox) == 2
"""
PYTEST = """
[pytest]
DJANGO_SETTINGS_MODULE = shop.settings.test
filterwarnings = error
"""
WAITING = "{% load mailroom %}<html><body>{% email_progress message resend=True %}</body></html>"

FILES = {
    "manage.py": MANAGE,
    "pytest.ini": PYTEST,
    "shop/__init__.py": INIT,
    "shop/celery.py": CELERY,
    "shop/urls.py": URLS,
    "shop/settings/__init__.py": "",
    "shop/settings/base.py": BASE,
    "shop/settings/dev.py": DEV,
    "shop/settings/prod.py": PROD,
    "shop/settings/test.py": TEST,
    "customers/__init__.py": "",
    "customers/models.py": CUSTOMERS,
    "customers/migrations/__init__.py": "",
    "orders/__init__.py": "",
    "orders/models.py": ORDERS,
    "orders/views.py": VIEWS,
    "orders/tasks.py": TASKS,
    "orders/migrations/__init__.py": "",
    "orders/tests/__init__.py": "",
    "orders/tests/test_orders.py": ITS_TESTS,
    "archive/__init__.py": "",
    "archive/models.py": ARCHIVE,
    "archive/router.py": ROUTER,
    "archive/migrations/__init__.py": "",
    "templates/waiting.html": WAITING,
}
