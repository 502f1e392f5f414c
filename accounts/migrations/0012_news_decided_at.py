"""Add the date of the decision about product news.

An account that wanted news before keeps that answer, with the date of its sign-up: the form has asked there, and no
later date is known.
"""

from django.db import migrations, models

# In pages of the primary key: members of a large table can log in meanwhile.
PAGE = 10_000
FILL = """
WITH page AS (SELECT id FROM accounts_user WHERE id > %s ORDER BY id LIMIT %s),
filled AS (
    UPDATE accounts_user SET news_decided_at = date_joined
    WHERE id IN (SELECT id FROM page) AND wants_news AND news_decided_at IS NULL
)
SELECT max(id) FROM page
"""


def fill(apps, schema_editor):
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while last is not None:
            cursor.execute(FILL, [last, PAGE])
            (last,) = cursor.fetchone()


class Migration(migrations.Migration):
    # Each page is one transaction.
    atomic = False

    dependencies = [("accounts", "0011_admin_log_time")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="news_decided_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="news decided at"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
