"""The Celery application: workers run `celery -A config.celery`."""

import os

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("yuchuang")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect(weak=False)
@beat_init.connect(weak=False)
def refuse_unsafe_start(**signal: object) -> None:
    """A worker of an unsafe production stops before its first task (config.checks)."""
    from config.checks import require_safe_start  # needs the settings, which are read when the worker starts

    require_safe_start()
