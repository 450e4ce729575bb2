"""Settings of the server; what differs between installations comes from the environment."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from mdm import logs
from mdm.environment import data_dir, env, kept_secret

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_dir(BASE_DIR)
EMBEDDED = not env("DATABASE_URL", default="")
DEBUG = env.bool("DEBUG", default=False)

SECRET_KEY = kept_secret("SECRET_KEY", DATA_DIR, embedded=EMBEDDED)
MUSTER_KEK = kept_secret("MUSTER_KEK", DATA_DIR, embedded=EMBEDDED)

# --- where the server is reached --------------------------------------------------------------
MUSTER_HOST = env("MUSTER_HOST", default="127.0.0.1")
MUSTER_PORT = env.int("MUSTER_PORT", default=8000)
MUSTER_PUBLIC_URL = env("MUSTER_PUBLIC_URL", default=f"http://localhost:{MUSTER_PORT}").rstrip("/")
_public = urlsplit(MUSTER_PUBLIC_URL)
IS_HTTPS = _public.scheme == "https"
MUSTER_HOSTS = env.list("MUSTER_HOSTS", default=[])
ALLOWED_HOSTS = [*{_public.hostname or "localhost", "localhost", "127.0.0.1", *MUSTER_HOSTS}]
CSRF_TRUSTED_ORIGINS = [MUSTER_PUBLIC_URL]
MUSTER_TRUSTED_PROXIES = [
    ipaddress.ip_network(item, strict=False)
    for item in env.list("MUSTER_TRUSTED_PROXIES", default=[])
]
USE_X_FORWARDED_HOST = False

# --- who administers it -----------------------------------------------------------------------
MUSTER_ADMIN_EMAIL = env("MUSTER_ADMIN_EMAIL", default="admin@example.com")
MUSTER_ADMIN_PASSWORD = env("MUSTER_ADMIN_PASSWORD", default="")
MUSTER_REQUIRE_ADMIN_MFA = env.bool("MUSTER_REQUIRE_ADMIN_MFA", default=True)
MUSTER_TENANT_NAME = env("MUSTER_TENANT_NAME", default="My organisation")
MUSTER_METRICS_TOKEN = env("MUSTER_METRICS_TOKEN", default="")
MUSTER_TLS_ROOTS_FILE = env("MUSTER_TLS_ROOTS_FILE", default="")
MUSTER_APNS_URL = env("MUSTER_APNS_URL", default="https://api.push.apple.com")
MUSTER_APNS_CA_FILE = env("MUSTER_APNS_CA_FILE", default="")
MUSTER_FCM_URL = env("MUSTER_FCM_URL", default="https://fcm.googleapis.com")
MUSTER_FCM_TOKEN_URL = env("MUSTER_FCM_TOKEN_URL", default="https://oauth2.googleapis.com/token")
MUSTER_FCM_CA_FILE = env("MUSTER_FCM_CA_FILE", default="")
MUSTER_WEB_PUSH_CA_FILE = env("MUSTER_WEB_PUSH_CA_FILE", default="")
MUSTER_WEBHOOK_CA_FILE = env("MUSTER_WEBHOOK_CA_FILE", default="")
# Private networks that addresses written by strangers (browser pushes) may lead into: none.
MUSTER_EGRESS_NETWORKS = [
    ipaddress.ip_network(item, strict=False)
    for item in env.list("MUSTER_EGRESS_NETWORKS", default=[])
]
MUSTER_PUSH_VENDOR_KEY_FILE = env("MUSTER_PUSH_VENDOR_KEY_FILE", default="")
MUSTER_PUSH_VENDOR_CERTIFICATE_FILE = env("MUSTER_PUSH_VENDOR_CERTIFICATE_FILE", default="")

INSTALLED_APPS = [
    "mdm.apps.MdmConfig",
    "apple",
    "enrollment",
    "devices",
    "accounts",
    "core",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "django_tables2",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "mdm.metrics.RequestMetricsMiddleware",
    "mdm.middleware.DevicePlaneMiddleware",
    "mdm.middleware.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "mdm.middleware.SecurityHeadersMiddleware",
    "accounts.middleware.PlaneMiddleware",
    "accounts.middleware.AudienceSessionMiddleware",
    "mdm.middleware.AdmissionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.UserLocaleMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionRulesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "mdm.urls"
ME_URLCONF = "mdm.me_urls"
WSGI_APPLICATION = "mdm.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mdm.context.portal",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- database and caches ----------------------------------------------------------------------
DATABASES = {
    "default": env.db_url_config(
        env("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'muster.sqlite3'}")
    )
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
            " PRAGMA journal_size_limit=67108864;"
        ),
    }
else:
    _database["CONN_MAX_AGE"] = 600
    _database["CONN_HEALTH_CHECKS"] = True
    # A stuck lock or query must become a 503, not a thread that never comes back.
    _database["OPTIONS"] = {
        "connect_timeout": 5,
        "options": "-c statement_timeout=30000 -c lock_timeout=10000",
    }
# In the database, so that sign-in limits hold without Redis and with several processes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "core_cache",
    }
}
REDIS_URL = env("REDIS_URL", default="")

# --- sign-in ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.PortalBackend",
    "accounts.backends.SelfServiceBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.passwords.ContextPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
}
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.services.resets.ResetTokens"  # noqa: S105
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,5/5m/key", "reset_password": "10/m/ip,3/15m/key"}
# A header is believed only behind a proxy that we know: core.net.client_ip, by the adapter.
ALLAUTH_TRUSTED_PROXY_COUNT = 0
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "accounts.passkeys.AddForm",
    "edit_webauthn": "accounts.passkeys.RenameForm",
    "authenticate_webauthn": "accounts.passkeys.SecondStepForm",
    "login_webauthn": "accounts.passkeys.SignInForm",
    "reauthenticate_webauthn": "accounts.passkeys.ConfirmForm",
}
MFA_TOTP_ISSUER = "Muster"
_host_prefix = "__Host-" if IS_HTTPS else ""
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_NAME = f"{_host_prefix}muster-admin"
ME_COOKIE_NAME = f"{_host_prefix}muster-me"
SESSION_COOKIE_AGE = 24 * 3600
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_host_prefix}muster-csrf"
ME_CSRF_COOKIE_NAME = f"{_host_prefix}muster-me-csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "mdm.views.errors.csrf_failure"
GO_COOKIE_NAME = f"{_host_prefix}muster-go"
KNOWN_COOKIE_NAME = f"{_host_prefix}muster-known"
# In the session, so that what one plane says is not read out on the other.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LANGUAGE_COOKIE_NAME = "muster-language"
LANGUAGE_COOKIE_SECURE = IS_HTTPS

# --- headers ----------------------------------------------------------------------------------
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- languages and time -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- files ------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("MUSTER_STATIC_DIR", default=str(DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# --- mail -------------------------------------------------------------------------------------
MAIL_DIR = DATA_DIR / "mail"
if env("EMAIL_URL", default=""):
    _mail = env.email_url("EMAIL_URL")
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"].replace(
        "django.core.mail.backends.smtp", "core.gateways.smtp"
    )
    EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("MUSTER_MAIL_FROM", default=f"muster@{_public.hostname or 'localhost'}")

# --- API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.HasDeclaredPermission"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "core.api.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Muster API",
    "VERSION": "1",
    "DESCRIPTION": "Automation interface of the Muster device management server.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Hundreds of operations at once take a browser half a minute to draw.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "none",
        "defaultModelsExpandDepth": -1,
    },
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "GroupKindEnum": "accounts.models.GroupKind",
        "AttributeKindEnum": "accounts.models.AttributeKind",
        "RuleFieldKindEnum": "core.rules.fields.KINDS",
        "DeviceStateEnum": "devices.states.DeviceState",
    },
    "PREPROCESSING_HOOKS": ["core.api.schema.only_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.with_errors",
    ],
}

# --- logs -------------------------------------------------------------------------------------
LOGGING = logs.configured(env("MUSTER_LOG_LEVEL", default="INFO"))
