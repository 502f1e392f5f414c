"""Turn off news for accounts whose user has unsubscribed or complained, so that the preferences show it.

notifications.0016 has done this for databases of earlier releases. It is safe to repeat.
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
