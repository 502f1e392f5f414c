from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0011_admin_lists")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="slowed_for",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
    ]
