"""Who had left the news, or complained, and still has the tick box on: make the page say what is true."""

from django.db import migrations

CLEAR = """
UPDATE accounts_user SET wants_news = false
FROM notifications_suppression AS left_news
WHERE left_news.address = lower(accounts_user.email) AND left_news.lifted_at IS NULL
  AND left_news.reason IN ('unsubscribed', 'complaint') AND accounts_user.wants_news
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0015_event_batches"), ("accounts", "0006_admin_list")]

    operations = [migrations.RunSQL(CLEAR, migrations.RunSQL.noop)]
