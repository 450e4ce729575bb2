"""Routes of the portal about invitations."""

from __future__ import annotations

from django.urls import path

from enrollment.views import link_settings, people, portal

app_name = "invitations"
urlpatterns = [
    path("invitations/", portal.invitation_list, name="invitation-list"),
    path("invitations/enrollments/", portal.session_list, name="session-list"),
    path("invitations/new/", portal.invitation_new, name="invitation-new"),
    path("invitations/<uuid:pk>/resend/", portal.invitation_resend, name="invitation-resend"),
    path("invitations/<uuid:pk>/link/", portal.invitation_link, name="invitation-link"),
    path("invitations/<uuid:pk>/revoke/", portal.invitation_revoke, name="invitation-revoke"),
    path("users/new/", people.person_new, name="person-new"),
    path("users/<uuid:pk>/pin/", people.pin_make, name="pin-make"),
    path("settings/enrollment/links/", link_settings.link_settings, name="link-settings"),
    path("settings/enrollment/links/end/", link_settings.links_renew, name="links-renew"),
    path("settings/enrollment/links/resend/", link_settings.links_resend, name="links-resend"),
    path("invitations/<uuid:pk>/", portal.invitation_detail, name="invitation-detail"),
]
