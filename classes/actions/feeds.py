"""The secret address of a person's calendar feed: given, renewed and taken back by that person alone."""

import datetime
import secrets

from django.db import transaction

import audit
from accounts.actions import account_subject
from accounts.models import User
from accounts.permissions import require_role
from classes.feeds import ROLES, token_hash
from classes.models import CalendarFeed

TOKEN_BYTES = 32


def issue_feed(*, actor: User, at: datetime.datetime) -> str:
    """Give a person a new secret address and end the one before; returns its token, which is kept nowhere.

    Raises Refusal `role_required` (403) for who has no lessons.
    """
    require_role(actor, *ROLES)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        CalendarFeed.objects.update_or_create(
            user=actor, defaults={"token_hash": token_hash(token), "issued_at": at}
        )
        audit.record(
            "calendar.issued",
            actor_id=actor.pk,
            subject=account_subject(actor),
            facts={"user": actor.pk},
            at=at,
        )
    return token


def end_feed(*, actor: User, at: datetime.datetime) -> None:
    """Take a person's own address back; whoever has none keeps none."""
    with transaction.atomic():
        ended, _rows = CalendarFeed.objects.filter(user=actor).delete()
        if ended:
            audit.record(
                "calendar.ended",
                actor_id=actor.pk,
                subject=account_subject(actor),
                facts={"user": actor.pk},
                at=at,
            )
