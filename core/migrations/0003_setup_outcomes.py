"""What became of each step of the start-up wizard, instead of the last step alone."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_cache_table")]
    operations = [
        migrations.RemoveField(model_name="tenant", name="setup_step"),
        migrations.AddField(
            model_name="tenant",
            name="setup_outcomes",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
