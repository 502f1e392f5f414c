"""Settings of SendGrid."""

from notifications import conf
from notifications.conf.setting import api_key, api_url, text


class SendGridSettings(conf.Settings):
    SENDGRID_API_KEY = api_key(
        'needs the permission "Mail Send", and "Suppressions" to remove addresses from SendGrid\'s lists'
    )
    SENDGRID_API_URL = api_url("https://api.sendgrid.com/v3/", "another one for the EU region")
    SENDGRID_WEBHOOK_KEY = text("", "the verification key of the signed event webhook, as SendGrid shows it")


settings = SendGridSettings()
