"""Clear the tick box of accounts whose reader had left the news, or complained: make the page say what is true.

Databases of earlier releases have had this from notifications.0016. It may run again: it clears nothing that still
brings news.
"""

from django.db import migrations

CLEAR = """
UPDATE accounts_user SET wants_news = false
FROM notifications_suppression AS left_news
WHERE left_news.address = lower(accounts_user.email) AND left_news.lifted_at IS NULL
  AND left_news.reason IN ('unsubscribed', 'complaint') AND accounts_user.wants_news
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_log_outlives_staff"), ("notifications", "0015_event_batches")]

    operations = [migrations.RunSQL(CLEAR, migrations.RunSQL.noop)]
