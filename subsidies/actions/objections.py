"""Objections of the public to a notice, and their answers (Q6)."""

import datetime
import hashlib

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions, vault
from accounts.models import User
from audit.actions import legal_day
from policy.refusals import Refusal
from subsidies.models import ClaimLine, Objection, PublicNotice
from subsidies.permissions import require_officer
from subsidies.states import OBJECTION_MOVES, ClaimState

MIN_CHARACTERS = 10
MAX_CHARACTERS = 2000
CONTACT_CONTEXT = b"objection.contact"


def lodge_objection(
    *, notice: PublicNotice, line_number: int | None, text: str, contact: str, at: datetime.datetime
) -> Objection:
    """Record anybody's objection, with or without a name, against a notice or one of its lines.

    The same text on the same line again returns the objection that is there. Raises Refusal `notice_over`,
    `notice_line_unknown`, `objection_length` (400).
    """
    text = text.strip()
    with transaction.atomic():
        notice = PublicNotice.objects.select_for_update().select_related("claim").get(pk=notice.pk)
        claim = notice.claim
        days = editions.edition(claim.edition).whole("public_notice_days")
        if claim.state != ClaimState.NOTICED or (days and legal_day(at) > notice.last_day):
            raise Refusal(
                "notice_over",
                gettext_noop("公示已经结束，这里不再收异议。"),
                found=legal_day(at).isoformat(),
                required=notice.last_day.isoformat(),
                rule="Q6",
                next_step=gettext_noop("请直接向当地人社部门反映。"),
            )
        if not MIN_CHARACTERS <= len(text) <= MAX_CHARACTERS:
            raise Refusal(
                "objection_length",
                gettext_noop("请写 %(least)s 到 %(most)s 字，现在 %(found)s 字。"),
                found=len(text),
                required=f"{MIN_CHARACTERS}–{MAX_CHARACTERS}",
                rule="Q6",
                params={"least": MIN_CHARACTERS, "most": MAX_CHARACTERS, "found": len(text)},
                next_step=gettext_noop("请写清楚哪一处不对、您是怎么知道的。"),
                status=400,
            )
        line = None
        if line_number is not None:
            line = ClaimLine.objects.filter(claim=claim, n=line_number).first()
            if line is None:
                raise Refusal(
                    "notice_line_unknown",
                    gettext_noop("公示里没有这一行。"),
                    found=line_number,
                    rule="Q6",
                    next_step=gettext_noop("请从公示名单里选一行，或选“整份公示”。"),
                    status=400,
                )
        existing = Objection.objects.filter(notice=notice, line=line, text=text).first()
        if existing:
            return existing
        objection = Objection.objects.create(
            notice=notice,
            line=line,
            text=text,
            contact_sealed=vault.seal(contact.strip().encode(), context=CONTACT_CONTEXT)
            if contact.strip()
            else None,
            lodged_at=at,
        )
        audit.record(
            "objection.lodged",
            actor_id=None,
            subject=claim.subject,
            facts={
                "claim": claim.pk,
                "number": claim.number,
                "objection": objection.pk,
                "line": line.n if line else None,
                "text": hashlib.sha256(text.encode()).hexdigest(),
            },
            at=at,
        )
    return objection


def answer_objection(
    *, actor: User, objection: Objection, upheld: bool, answer: str, at: datetime.datetime
) -> Objection:
    """Answer an objection in public. Raises Refusal `officer_required` (403), `objection_answered`, `reason_required`."""
    with transaction.atomic():
        objection = (
            Objection.objects.select_for_update(of=("self",))
            .select_related("notice__claim__training_class__institution")
            .get(pk=objection.pk)
        )
        claim = objection.notice.claim
        require_officer(actor, claim)
        move = OBJECTION_MOVES[objection.state].get("uphold" if upheld else "dismiss")
        if move is None:
            raise Refusal(
                "objection_answered",
                gettext_noop("这件异议已经答复过了。"),
                found=objection.state,
                rule="Q6",
                next_step=gettext_noop("请刷新页面查看答复。"),
            )
        if not answer.strip():
            raise Refusal(
                "reason_required",
                gettext_noop("答复要写明理由，公众会看到。"),
                rule="Q6",
                next_step=gettext_noop("请补充理由后再提交。"),
                status=400,
            )
        objection.state = move
        objection.answer, objection.answered_by, objection.answered_at = answer.strip(), actor, at
        objection.save(update_fields=["state", "answer", "answered_by", "answered_at"])
        audit.record(
            "objection.answered",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={
                "claim": claim.pk,
                "number": claim.number,
                "objection": objection.pk,
                "upheld": upheld,
                "answer": objection.answer,
            },
            at=at,
        )
    return objection
