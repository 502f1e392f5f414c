"""Which problems were announced, and counters for metrics."""

from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [
        ("notifications", "0025_operators"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("code", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("about", models.JSONField(default=list)),
                ("began_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("announced_at", models.DateTimeField(null=True)),
                ("over_at", models.DateTimeField(null=True)),
                ("returns", models.PositiveSmallIntegerField(default=0)),
                ("posted", models.JSONField(null=True)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="AlertChannel",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(max_length=100)),
                ("retry_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="CounterMark",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_to", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("labels", models.JSONField(default=dict)),
                ("value", models.FloatField(default=0)),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("name", "labels"), name="notifications_counter_once")],
            },
        ),
    ]
