"""Users. An account is identified by its email address."""

from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.addresses import canonical_address
from accounts.fields import AddressField, NameField
from accounts.hashers import normalize_password


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user. Raises ValueError for a bad address or name. A user without a password cannot log in."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        try:
            user.clean_fields()
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True} | fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of an address, however typed. Raises User.DoesNotExist, also for an invalid one."""
        try:
            address = canonical_address(username or "")
        except ValidationError as error:
            raise self.model.DoesNotExist from error
        # Not email__iexact: that compares UPPER(email), which no index knows.
        return self.alias(lower_email=Lower("email")).get(lower_email=address)

    def by_address(self, address: str) -> "User | None":
        """Return the user of an address; None for an unknown or invalid one."""
        try:
            return self.get_by_natural_key(address)
        except self.model.DoesNotExist:
            return None


class User(AbstractBaseUser, PermissionsMixin):
    # `unique` is what Django's checks and createsuperuser ask for. The constraint below says more and speaks for both.
    email = AddressField("e-mail address", unique=True)
    name = NameField(max_length=150, blank=True)
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting an account.")
    is_staff = models.BooleanField("staff", default=False, help_text="May use the admin.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField("address confirmed at", null=True, blank=True)
    # The address that replaces `email` once it is confirmed. Several people may claim one; who confirms first has it.
    new_email = AddressField("new e-mail address", blank=True, default="", db_default="")
    # In which we write; empty for the site's own.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    # Asked for at the sign-up and in the preferences; nobody gets news without having said so.
    wants_news = models.BooleanField("gets product news", default=False, db_default=False)
    # Made up by the sign-up that made the account, and known to that browser only.
    sign_up = models.UUIDField(null=True, editable=False)
    # Whoever signed up has corrected the address: this account is given up, and deleted soon.
    replaced_at = models.DateTimeField(null=True, editable=False)

    # Not stored: names the mail that saving a new user brings about, for whoever wants to follow it.
    reference: UUID | None = None

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        indexes = [
            # Read page by page by the purge of unconfirmed accounts.
            models.Index(
                fields=["id"],
                condition=Q(confirmed_at__isnull=True, sign_up__isnull=False),
                name="accounts_user_unconfirmed_idx",
            ),
            # Read by the admin's list and its filter for staff. What its search reads is in migration 0006.
            models.Index(fields=["-date_joined"], name="accounts_user_joined_idx"),
            models.Index(fields=["id"], condition=Q(is_staff=True), name="accounts_user_staff_idx"),
            models.Index(fields=["id"], condition=Q(is_superuser=True), name="accounts_user_super_idx"),
        ]
        constraints = [
            # Holds for rows that came in without validation too. Log-in and sign-up read its index.
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_ci_unique",
                violation_error_message="There is already an account with this address.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        super().validate_unique({*(exclude or ()), "email"})

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # The constraint is about the address, so the error belongs to that field.
        try:
            super().validate_constraints(exclude)
        except ValidationError as error:
            taken = [ValidationError(sentence, code="unique") for sentence in error.messages]
            raise ValidationError({"email": taken}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with all effects of post_save, or not at all.

        Django sends post_save after the save's own transaction; in autocommit, a receiver that fails would otherwise
        leave a user without the email that belongs to it.
        """
        database = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=database):
            super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        one_form = raw_password and normalize_password(raw_password)
        super().set_password(one_form)
        if self.pk is None and one_form != raw_password:
            # Django sets the password of a user who is nobody where an address has no account: that must take as long
            # as `check_password` takes of an account's owner.
            make_password(raw_password)

    def check_password(self, raw_password: str) -> bool:
        # In its one form, and as typed: older hashes were made of that.
        one_form = normalize_password(raw_password)
        return self._matches(one_form) or (one_form != raw_password and self._matches(raw_password))

    def _matches(self, raw_password: str) -> bool:
        # Django hashes it again if the way of hashing has changed. Only over the hash that was checked: Django's own
        # would restore the old password if it was changed meanwhile.
        def keep(password: str) -> None:
            checked = self.password
            self.password = make_password(normalize_password(password))
            type(self).objects.filter(pk=self.pk, password=checked).update(password=self.password)

        return check_password(raw_password, self.password, keep)

    def get_full_name(self) -> str:
        return str(self.name)

    def get_short_name(self) -> str:
        return str(self.name or self.email)
