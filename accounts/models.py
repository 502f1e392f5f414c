"""People. An account is its e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, router, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.addresses import canonical_address
from accounts.fields import AddressField

ADDRESS_TAKEN = "There is already an account with this address."

# Control characters end up in headers; Unicode's line and paragraph separators break lines too.
one_line = RegexValidator(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", "Please leave out line breaks and control characters.", inverse_match=True
)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Raises ValueError for a bad address or name; a user without a password cannot log in."""
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
        """Return whose address it is, however it was typed. Raises User.DoesNotExist, for what is no address too."""
        try:
            address = canonical_address(username or "")
        except ValidationError as error:
            raise self.model.DoesNotExist from error
        # Not email__iexact: that compares UPPER(email), which no index knows.
        return self.alias(lower_email=Lower("email")).get(lower_email=address)


class User(AbstractBaseUser, PermissionsMixin):
    email = AddressField("e-mail address", unique=True, error_messages={"unique": ADDRESS_TAKEN})
    name = models.CharField(max_length=150, blank=True, validators=[one_line])
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting an account.")
    is_staff = models.BooleanField("staff", default=False, help_text="May use the admin.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField("address confirmed at", null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # `unique=True` is what Django's checks and createsuperuser look for; this also holds for rows that came
            # in without validation. Log-in reads its index.
            models.UniqueConstraint(
                Lower("email"), name="accounts_user_email_ci_unique", violation_error_message=ADDRESS_TAKEN
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with all that post_save brings about, or not at all.

        Django sends post_save after the save's own transaction; in autocommit, a receiver that fails would otherwise
        leave a user without the mail that belongs to it.
        """
        database = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=database):
            super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.email
