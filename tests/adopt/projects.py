"""Two foreign projects, as they are before they install the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

# Both projects are developed, not yet deployed.
DEBUG = "`DEBUG` is on"
# The newest release when this was written.
ALLAUTH = "django-allauth==65.21.1"

APP = {"orders/__init__.py": ""}
HAS_ORDERS = """
INSTALLED_APPS += ["orders"]
"""
CELERY = """
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""
IMPORTS_CELERY = """
from .celery import app as celery_app

__all__ = ("celery_app",)
"""
HAS_ALLAUTH = """
INSTALLED_APPS += ["orders", "customers", "allauth", "allauth.account"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_USER_MODEL = "customers.Customer"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}
DEFAULT_FROM_EMAIL = "Shop <hello@shop.example.com>"
CELERY_TASK_TIME_LIMIT = 60
"""
ALLAUTH_URLS = """
from django.urls import include
urlpatterns += [path("accounts/", include("allauth.urls"))]
"""
CUSTOMERS = """
import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class CustomerManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        customer = self.model(email=self.normalize_email(email), **fields)
        customer.set_password(password)
        customer.save()
        return customer

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Customer(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = CustomerManager()
    USERNAME_FIELD = "email"
"""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A project: what is appended to the files of `startproject`, its packages, and which steps are for it."""

    name: str
    files: Mapping[str, str]
    packages: Sequence[str] = ()
    # The words after "if" in the headings of the tutorial's files.
    applies: frozenset[str] = field(default_factory=frozenset)
    django: str = "django~=5.2.0"
    # The oldest Python that this Django runs on.
    python: str = "3.11"


NEW = Foreign(
    name="startproject",
    files={**APP, "shop/settings.py": HAS_ORDERS},
    applies=frozenset({"the project is new", DEBUG}),
)
# What `pip install` brings to a newer Python.
NEW_WITH_DJANGO_6 = replace(NEW, name="startproject-django-6", django="django~=6.0.0", python="3.12")
WITH_ALLAUTH = Foreign(
    name="allauth",
    files={
        **APP,
        "shop/settings.py": HAS_ALLAUTH,
        "shop/urls.py": ALLAUTH_URLS,
        "shop/celery.py": CELERY,
        "shop/__init__.py": IMPORTS_CELERY,
        "customers/__init__.py": "",
        "customers/migrations/__init__.py": "",
        "customers/models.py": CUSTOMERS,
    },
    packages=[ALLAUTH],
    applies=frozenset({"the project has Celery", DEBUG}),
)
