from django.db import migrations


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY: operators work meanwhile.
    atomic = False

    dependencies = [
        ("accounts", "0010_former_staff"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        # For the admin's list of the log.
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS accounts_admin_log_time_idx ON django_admin_log (action_time)",
            "DROP INDEX CONCURRENTLY IF EXISTS accounts_admin_log_time_idx",
        ),
    ]
