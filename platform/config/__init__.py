"""Importing the package loads the Celery application, so that `task.delay()` finds this platform's broker."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
