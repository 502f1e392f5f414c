from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY: people sign up and log in meanwhile.
    atomic = False

    dependencies = [
        ("accounts", "0003_replaced"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(
                condition=models.Q(("confirmed_at__isnull", True), ("sign_up__isnull", False)),
                fields=["id"],
                name="accounts_user_unconfirmed_idx",
            ),
        ),
    ]
