"""The accounts behind the providers; SMTP servers have none."""

from notifications.providers.account import Account
from notifications.providers.accounts.postmark import PostmarkAccount
from notifications.providers.accounts.sendgrid import SendGridAccount
from notifications.providers.accounts.ses import SesAccount
from notifications.providers.accounts.simulator import SimulatorAccount

# Accounts with a quota, a sender and webhooks to look at.
ACCOUNTS: dict[str, type[Account]] = {
    account.provider: account for account in (SesAccount, SendGridAccount, PostmarkAccount)
}
# Those with a suppression list of their own; the local simulator plays one too.
LIST_KEEPERS: dict[str, type[Account]] = {**ACCOUNTS, SimulatorAccount.provider: SimulatorAccount}
