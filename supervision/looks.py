"""From insert-only rows to chained evidence."""

import datetime

from django.db import connection, transaction

import audit
from audit.actions import Record
from supervision.models import ChainedLook, Look

KIND = "supervision.looked"


def chain_new_looks(*, at: datetime.datetime, limit: int = 500) -> int:
    """Record every look that is not in the evidence log yet; returns how many. Idempotent, one at a time.

    A look at a class goes into that class's chain, any other into the bureau's.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtextextended('supervision looks', 0))")
        new = list(Look.objects.filter(chained__isnull=True).order_by("pk")[:limit])
        entries = audit.record_many(
            Record(
                kind=KIND,
                actor_id=look.user_id,
                subject=look.subject or f"bureau/{look.bureau_id}",
                facts={
                    "look": look.pk,
                    "bureau": look.bureau_id,
                    "path": look.path,
                    "seen_at": look.at,
                },
                at=at,
            )
            for look in new
        )
        ChainedLook.objects.bulk_create(
            ChainedLook(look=look, chain=entry.chain, seq=entry.seq)
            for look, entry in zip(new, entries, strict=True)
        )
    return len(new)
