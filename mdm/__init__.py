"""The roof of the server: settings, URLs, start-up, and the pages made of many apps."""

from mdm.celery import app as celery_app

__all__ = ["celery_app"]
