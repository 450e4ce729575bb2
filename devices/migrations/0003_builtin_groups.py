from django.db import migrations

from core import clock


def one(field, value):
    return {"match": "all", "rules": [{"field": field, "operator": "equals", "value": value}]}


RULES = {
    "all": {"match": "all", "rules": []},
    "iphone": one("platform", "iphone"),
    "ipad": one("platform", "ipad"),
    "mac": one("platform", "mac"),
    "android": one("platform", "android"),
    "supervised": one("is_supervised", True),
    "company": one("ownership", "company"),
    "personal": one("ownership", "personal"),
}


def create(apps, schema_editor):
    """Give every organisation the built-in groups; the sweep fills them."""
    group = apps.get_model("devices", "DeviceGroup")
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
    dependencies = [("devices", "0002_groups_and_attributes")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
