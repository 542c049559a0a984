"""Objections of the public to a notice, and their answers (Q6)."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions, vault
from accounts.models import User
from accounts.reconciliation import require_roles_on_record
from audit.actions import legal_day
from policy.refusals import Refusal
from subsidies.actions.claims import digest_of, plain_words
from subsidies.actions.moves import move_objection
from subsidies.models import Claim, ClaimLine, Objection, PublicNotice
from subsidies.permissions import require_officer
from subsidies.states import ClaimState, ObjectionState

MIN_CHARACTERS = 10
MAX_CHARACTERS = 2000
MAX_CONTACT_CHARACTERS = 100
CONTACT_CONTEXT = b"objection.contact"


def lodge_objection(
    *, notice: PublicNotice, line_number: int | None, text: str, contact: str, at: datetime.datetime
) -> Objection:
    """Record anybody's objection, with or without a name, against a notice or one of its lines.

    The same text on the same line again returns the objection that is there. Raises Refusal `notice_over`,
    `notice_line_unknown`, `objection_length`, `contact_length` (the last three 400).
    """
    text, contact = text.strip(), contact.strip()
    with transaction.atomic():
        claim = Claim.objects.select_for_update().get(pk=notice.claim_id)
        _require_open(claim, notice, at)
        _require_length(text, contact)
        line = _line(claim, line_number)
        existing = Objection.objects.filter(notice=notice, line=line, text=text).first()
        if existing:
            return existing
        objection = Objection.objects.create(
            notice=notice,
            line=line,
            text=text,
            contact_sealed=vault.seal(contact.encode(), context=CONTACT_CONTEXT) if contact else None,
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
                "text": digest_of(text),
            },
            at=at,
        )
    return objection


def answer_objection(
    *, actor: User, objection: Objection, upheld: bool, answer: str, at: datetime.datetime
) -> Objection:
    """Answer an objection in public; the same answer again changes nothing.

    Raises Refusal `officer_required` (403), `objection_answered`, and what `plain_words` raises.
    """
    with transaction.atomic():
        claim = (
            Claim.objects.select_for_update(of=("self",))
            .select_related("training_class__institution__region")
            .get(notice__objections=objection.pk)
        )
        require_officer(actor, claim)
        require_roles_on_record(actor, rule="Q5")
        objection = (
            Objection.objects.select_for_update(of=("self",)).select_related("line").get(pk=objection.pk)
        )
        outcome = ObjectionState.UPHELD if upheld else ObjectionState.DISMISSED
        if objection.state == outcome and objection.answer == answer.strip():
            return objection
        move_objection(objection, "uphold" if upheld else "dismiss")
        objection.answer = plain_words(answer)
        objection.answered_by, objection.answered_at = actor, at
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
                "answer": digest_of(objection.answer),
            },
            at=at,
        )
    return objection


def contact_of(objection: Objection) -> str:
    """How to reach who objected, for the office that answers; empty where they left nothing."""
    if objection.contact_sealed is None:
        return ""
    return vault.unseal(bytes(objection.contact_sealed), context=CONTACT_CONTEXT).decode()


def _require_open(claim: Claim, notice: PublicNotice, at: datetime.datetime) -> None:
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


def _require_length(text: str, contact: str) -> None:
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
    if len(contact) > MAX_CONTACT_CHARACTERS:
        raise Refusal(
            "contact_length",
            gettext_noop("联系方式最多 %(most)s 字，现在 %(found)s 字。"),
            found=len(contact),
            required=MAX_CONTACT_CHARACTERS,
            rule="Q6",
            params={"most": MAX_CONTACT_CHARACTERS, "found": len(contact)},
            next_step=gettext_noop("请只留一个电话或地址，也可以不留。"),
            status=400,
        )


def _line(claim: Claim, number: int | None) -> ClaimLine | None:
    if number is None:
        return None
    line = ClaimLine.objects.filter(claim=claim, n=number).first()
    if line is None:
        raise Refusal(
            "notice_line_unknown",
            gettext_noop("公示里没有这一行。"),
            found=number,
            required=True,
            rule="Q6",
            next_step=gettext_noop("请从公示名单里选一行，或选“整份公示”。"),
            status=400,
        )
    return line
