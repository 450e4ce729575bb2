from django.db import migrations

from core import clock

RULES = {
    "all": {"match": "all", "rules": []},
    "administrators": {
        "match": "all",
        "rules": [{"field": "has_role", "operator": "equals", "value": True}],
    },
}


def create(apps, schema_editor):
    """Give every organisation the built-in groups; the sweep fills them."""
    group = apps.get_model("accounts", "UserGroup")
    for tenant in apps.get_model("core", "Tenant").objects.all():
        for key, rule in RULES.items():
            group.objects.get_or_create(
                tenant=tenant,
                key=key,
                defaults={
                    "name": f"builtin:{key}",
                    "kind": "builtin",
                    "rule": rule,
                    "due_at": clock.now(),
                },
            )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_groups_and_attributes")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
