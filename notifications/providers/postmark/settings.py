"""Settings of Postmark."""

from notifications import conf
from notifications.conf.setting import api_key, api_url, text


class PostmarkSettings(conf.Settings):
    POSTMARK_SERVER_TOKEN = api_key("the API token of the Postmark server that sends")
    POSTMARK_API_URL = api_url("https://api.postmarkapp.com/", "")
    POSTMARK_WEBHOOK_AUTH = text("", "user:password that Postmark's webhooks are sent with")


settings = PostmarkSettings()
