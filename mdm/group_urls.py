"""Routes of groups, attributes and variables: the same pages for devices and for people."""

from __future__ import annotations

from django.urls import URLPattern, path

from mdm.views import attributes, group_forms, groups, variables


def _routes(kind: str, start: str) -> list[URLPattern]:
    def route(below: str, view, name: str) -> URLPattern:
        return path(f"{start}/{below}", view, {"kind": kind}, name=f"{kind}-{name}")

    return [
        route("groups/", groups.group_list, "group-list"),
        route("groups/new/", group_forms.group_new, "group-new"),
        route("groups/new/rule/", group_forms.rule_new, "group-new-rule"),
        route("groups/choose/", groups.group_choose, "group-choose"),
        route("groups/<uuid:pk>/", groups.group_detail, "group-detail"),
        route("groups/<uuid:pk>/edit/", group_forms.group_edit, "group-edit"),
        route("groups/<uuid:pk>/delete/", group_forms.group_delete, "group-delete"),
        route("groups/<uuid:pk>/add/", groups.members_add, "group-members-add"),
        route("groups/<uuid:pk>/take-out/", groups.members_remove, "group-members-remove"),
        route("<uuid:pk>/groups/", groups.member_groups, "member-groups"),
        route("<uuid:pk>/attributes/", attributes.member_attributes, "member-attributes"),
    ]


urlpatterns = [
    *_routes("device", "devices"),
    *_routes("user", "users"),
    path("devices/<uuid:pk>/variables/", variables.device_variables, name="device-variables"),
    path("settings/attributes/", attributes.attribute_list, name="settings-attributes"),
    path("settings/attributes/new/", attributes.attribute_new, name="settings-attribute-new"),
    path(
        "settings/attributes/<uuid:pk>/", attributes.attribute_edit, name="settings-attribute-edit"
    ),
    path(
        "settings/attributes/<uuid:pk>/delete/",
        attributes.attribute_delete,
        name="settings-attribute-delete",
    ),
]
