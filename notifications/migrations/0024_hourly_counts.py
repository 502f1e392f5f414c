import django.contrib.postgres.fields
import django.db.models.functions.datetime
from notifications.migrations._postgresql import PostgreSQLMigration
import notifications.models.rollup
from django.db import migrations, models


class Migration(PostgreSQLMigration):
    dependencies = [
        ("notifications", "0023_storage"),
    ]

    operations = [
        migrations.CreateModel(
            name="RolledUpHour",
            fields=[
                ("hour", models.DateTimeField(primary_key=True, serialize=False)),
                ("counted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="HourlyDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("sent", models.BigIntegerField(default=0)),
                ("delivered", models.BigIntegerField(default=0)),
                ("deferred", models.BigIntegerField(default=0)),
                ("hard_bounced", models.BigIntegerField(default=0)),
                ("soft_bounced", models.BigIntegerField(default=0)),
                ("complained", models.BigIntegerField(default=0)),
                (
                    "to_delivered",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=notifications.models.rollup.no_times, size=None
                    ),
                ),
                ("domain", models.CharField(max_length=255)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("hour", "domain"), name="notifications_hourly_domain_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="HourlyTraffic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("sent", models.BigIntegerField(default=0)),
                ("delivered", models.BigIntegerField(default=0)),
                ("deferred", models.BigIntegerField(default=0)),
                ("hard_bounced", models.BigIntegerField(default=0)),
                ("soft_bounced", models.BigIntegerField(default=0)),
                ("complained", models.BigIntegerField(default=0)),
                (
                    "to_delivered",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=notifications.models.rollup.no_times, size=None
                    ),
                ),
                ("stream", models.CharField(max_length=16)),
                ("provider", models.CharField(max_length=32)),
                ("failed", models.BigIntegerField(default=0)),
                ("rejected", models.BigIntegerField(default=0)),
                (
                    "to_provider",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=notifications.models.rollup.no_times, size=None
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "stream", "provider"), name="notifications_hourly_traffic_once"
                    )
                ],
            },
        ),
    ]
