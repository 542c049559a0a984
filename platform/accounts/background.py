"""Handing work to the worker once the transaction has committed."""

from typing import Any

from django.db import transaction


def after_commit(task: Any, *args: object) -> None:
    """Queue a Celery task when (and only if) the surrounding transaction commits.

    What was written stands even where the queue cannot be reached: the failure is logged, and each kind of
    work has a beat or a page that asks again for what was left undone.
    """

    def enqueue() -> None:
        task.delay(*args)

    transaction.on_commit(enqueue, robust=True)
