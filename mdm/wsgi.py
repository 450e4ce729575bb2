"""What the web server runs."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from mdm.checks import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mdm.settings")
application = get_wsgi_application()
refuse_unsafe_settings()
