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
from django.utils.translation import gettext_lazy as _

from accounts.addresses import canonical_address
from accounts.fields import AddressField, NameField
from accounts.hashers import normalize_password


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password they cannot log in. Raises ValueError for a bad address or name."""
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
        """Return the user of an address, in any spelling. Raises User.DoesNotExist, also for an invalid one."""
        try:
            address = canonical_address(username or "")
        except ValidationError as error:
            raise self.model.DoesNotExist from error
        # Not email__iexact: that compares UPPER(email), which has no index.
        return self.alias(lower_email=Lower("email")).get(lower_email=address)

    def by_address(self, address: str) -> "User | None":
        """Return the user of an address; None for an unknown or invalid one."""
        try:
            return self.get_by_natural_key(address)
        except self.model.DoesNotExist:
            return None


class FormerStaff(models.Model):
    """The name of a deleted staff account, for the admin's log of what it did."""

    # Of the account.
    number = models.BigIntegerField(primary_key=True)
    name = NameField(max_length=150)

    class Meta:
        # It has no page.
        default_permissions = ()

    def __str__(self) -> str:
        return f"account {self.number}"


class User(AbstractBaseUser, PermissionsMixin):
    # Django's checks and createsuperuser require `unique`; the constraint below is stricter and reports the error.
    email = AddressField(_("email address"), unique=True)
    name = NameField(_("name"), max_length=150, blank=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear this instead of deleting an account.")
    )
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May use the admin."))
    date_joined = models.DateTimeField(_("member since"), default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(_("address confirmed at"), null=True, blank=True)
    # Replaces `email` once it is confirmed. Several users may request the same address; the first to confirm gets it.
    new_email = AddressField(_("new email address"), blank=True, default="", db_default="")
    # The language of emails; empty for the site's default.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")
    # The user's consent, given at sign-up or in the preferences.
    wants_news = models.BooleanField(_("gets product news"), default=False, db_default=False)
    # When that was last decided; null if the user was never asked.
    news_decided_at = models.DateTimeField(_("news decided at"), null=True, blank=True, editable=False)
    # The id of the sign-up that created the account. Only the browser of that sign-up knows it.
    sign_up = models.UUIDField(null=True, editable=False)
    # When the user corrected the address and so abandoned this account, which is then purged.
    replaced_at = models.DateTimeField(null=True, editable=False)

    # Not stored: the id of the welcome email that saving a new user enqueues.
    reference: UUID | None = None

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            # Read by the purge of unconfirmed accounts, in pages.
            models.Index(
                fields=["id"],
                condition=Q(confirmed_at__isnull=True, sign_up__isnull=False),
                name="accounts_user_unconfirmed_idx",
            ),
            # Read by the admin's list and its filter for staff. The index of its search is in migration 0006.
            models.Index(fields=["-date_joined"], name="accounts_user_joined_idx"),
            models.Index(fields=["id"], condition=Q(is_staff=True), name="accounts_user_staff_idx"),
            models.Index(fields=["id"], condition=Q(is_superuser=True), name="accounts_user_super_idx"),
        ]
        constraints = [
            # Also protects rows that were written without validation. Log-in and sign-up read its index.
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_ci_unique",
                violation_error_message=_("There is already an account with this address."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        super().validate_unique({*(exclude or ()), "email"})

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # Shows the constraint's error at the address field.
        try:
            super().validate_constraints(exclude)
        except ValidationError as error:
            taken = [ValidationError(text, code="unique") for text in error.messages]
            raise ValidationError({"email": taken}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the user and run the receivers of post_save in one transaction.

        In autocommit, Django sends post_save after its transaction: a failing receiver would leave a user without a
        welcome email.
        """
        database = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=database):
            super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        normalized = raw_password and normalize_password(raw_password)
        super().set_password(normalized)
        if self.pk is None and normalized != raw_password:
            # For an address without an account, Django sets the password of an unsaved user. That must take as long as
            # `check_password`, which may hash twice.
            make_password(raw_password)

    def check_password(self, raw_password: str) -> bool:
        # Normalized and as typed: older hashes were made without normalizing.
        normalized = normalize_password(raw_password)
        return self._matches(normalized) or (normalized != raw_password and self._matches(raw_password))

    def _matches(self, raw_password: str) -> bool:
        # Django calls `upgrade` if the hasher has changed. It replaces only the hash that was checked: Django's own
        # version would restore the old password if it was changed meanwhile.
        def upgrade(password: str) -> None:
            checked = self.password
            self.password = make_password(normalize_password(password))
            type(self).objects.filter(pk=self.pk, password=checked).update(password=self.password)

        return check_password(raw_password, self.password, upgrade)

    def get_full_name(self) -> str:
        return str(self.name)

    def get_short_name(self) -> str:
        return str(self.name or self.email)
