"""The accounts behind the providers; SMTP servers and the simulator have none."""

from notifications.providers.account import Account
from notifications.providers.accounts.postmark import PostmarkAccount
from notifications.providers.accounts.sendgrid import SendGridAccount
from notifications.providers.accounts.ses import SesAccount

ACCOUNTS: dict[str, type[Account]] = {
    account.provider: account for account in (SesAccount, SendGridAccount, PostmarkAccount)
}
