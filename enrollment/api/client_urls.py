"""Routes of the client API, with a schema of its own."""

from __future__ import annotations

from django.urls import path

from core.api.schema import SchemaView
from enrollment.api import client_views as views

SCHEMA = {
    "TITLE": "Muster client API",
    "VERSION": "1",
    "DESCRIPTION": (
        "What an organisation's own phone app calls to register the phone that it runs on. Every "
        "call but the first two carries the bearer token that they return."
    ),
    "SCHEMA_PATH_PREFIX": "/client/v1",
    "PREPROCESSING_HOOKS": ["core.api.schema.only_client"],
}

urlpatterns = [
    path("schema/", SchemaView.as_view(custom_settings=SCHEMA), name="client-schema"),
    path("sign-in/", views.SignInView.as_view(), name="client-sign-in"),
    path("redeem-qr/", views.RedeemView.as_view(), name="client-redeem-qr"),
    path("installation/", views.InstallationView.as_view(), name="client-installation"),
    path("enrollments/", views.EnrollmentsView.as_view(), name="client-enrollments"),
    path("enrollments/<uuid:pk>/", views.EnrollmentView.as_view(), name="client-enrollment"),
    path("enrollments/<uuid:pk>/proof/", views.ProofView.as_view(), name="client-proof"),
    path("enrollments/<uuid:pk>/password/", views.PasswordView.as_view(), name="client-password"),
    path("enrollments/<uuid:pk>/terms/", views.TermsView.as_view(), name="client-terms"),
    path("enrollments/<uuid:pk>/profile/", views.ProfileView.as_view(), name="client-profile"),
    path("enrollments/<uuid:pk>/cancel/", views.CancelView.as_view(), name="client-cancel"),
    path("enrollments/<uuid:pk>/resume/", views.ResumeView.as_view(), name="client-resume"),
    path("re-enroll/", views.ReEnrollView.as_view(), name="client-re-enroll"),
]
