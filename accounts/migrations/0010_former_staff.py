"""The names of deleted staff accounts, for the admin's log."""

import accounts.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_labels'),
    ]

    operations = [
        migrations.CreateModel(
            name='FormerStaff',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('name', accounts.fields.NameField(max_length=150)),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
