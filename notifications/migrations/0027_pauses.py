"""Pauses of streams, kinds and providers, and the permission for them. Processes of the release before ignore both."""

from typing import Any

import django.db.models.functions.datetime
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration
from notifications.migrations._groups import OPERATORS, add_to_group, permissions

STEER = {"pause": {"steer_email": "Can pause, cancel and reroute email"}}


def let_operators_steer(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    add_to_group(apps, alias, OPERATORS, permissions(apps, alias, STEER))


class Migration(PostgreSQLMigration):

    dependencies = [
        ('notifications', '0026_monitoring'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('stream', 'Stream'), ('kind', 'Kind'), ('provider', 'Provider')], max_length=16, verbose_name='what')),
                ('name', models.CharField(max_length=64, verbose_name='name')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('by', models.CharField(max_length=150, verbose_name='paused by')),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='paused since')),
                ('until', models.DateTimeField(blank=True, null=True, verbose_name='until')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('ended_by', models.CharField(blank=True, db_default='', default='', max_length=150, verbose_name='ended by')),
                ('is_released', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'verbose_name': 'pause',
                'verbose_name_plural': 'pauses',
                'ordering': ['since'],
                'permissions': [('steer_email', 'Can pause, cancel and reroute email')],
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('is_released', False)), fields=['ended_at'], name='pause_unreleased_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('what', 'name'), name='notifications_pause_one_at_a_time')],
            },
        ),
        migrations.RunPython(let_operators_steer, migrations.RunPython.noop),
    ]
