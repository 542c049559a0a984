"""A claim from drawing up to decision. The figures are computed, never entered (F16, F17, Q4)."""

import datetime
import hashlib
from decimal import Decimal
from functools import partial

import rfc8785
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions
from accounts.models import User
from attendance.queries import credit_of_class
from audit.actions import legal_day
from classes.models import TrainingClass
from classes.permissions import can_manage
from classes.states import ClassState
from exams.queries import Completion, completions_of
from exams.states import CertificateState
from policy.calendar import state_council_calendar
from policy.completion import claim_amount
from policy.refusals import Refusal
from subsidies import tasks
from subsidies.models import Claim, ClaimLine, PublicNotice
from subsidies.permissions import require_manager, require_officer
from subsidies.queries import delivered_hours_decision, paid_before
from subsidies.states import CLAIM_MOVES, ClaimState, ObjectionState


def draw_up_claim(*, actor: User, training_class: TrainingClass, at: datetime.datetime) -> Claim:
    """Draw up the claim of a finished class: one line per effective trainee at the edition's rate.

    Drawing up again returns the claim that is there. Raises Refusal `manager_required` (403), `class_not_finished`,
    `institution_not_designated`, `hours_not_delivered`, `nobody_effective`, `verdict_changed`, `edition_unset`.
    """
    with transaction.atomic():
        training_class = (
            TrainingClass.objects.select_for_update(of=("self",))
            .select_related("institution", "course")
            .get(pk=training_class.pk)
        )
        if not can_manage(actor, training_class):
            raise Refusal(
                "manager_required",
                gettext_noop("补贴申请由培训机构的管理员来办。"),
                rule="F16",
                next_step=gettext_noop("请联系本机构管理员。"),
                status=403,
            )
        existing = Claim.objects.filter(training_class=training_class).first()
        if existing:
            return existing
        _require_claimable(training_class, at)
        edition = editions.edition(training_class.edition)
        completions = completions_of(training_class)
        earlier = paid_before(training_class, [c.enrolment.person_id for c in completions])
        effective = [c for c in completions if _is_effective(c) and c.enrolment.person_id not in earlier]
        if not effective:
            raise Refusal(
                "nobody_effective",
                gettext_noop("没有可以申请补贴的学员：要考勤和结业考试都合格，并且没有申请过同类补贴。"),
                found=0,
                required=1,
                rule="Q4",
                next_step=gettext_noop("请在班级的考勤和考试页核对每个人的结论。"),
            )
        rate = edition.money("subsidy_rate", training_class.course.course_type)
        amount = claim_amount(edition, training_class.course.course_type, len(effective))
        claim = Claim.objects.create(
            training_class=training_class,
            institution=training_class.institution,
            number=f"{legal_day(at):%Y%m}-{training_class.pk:06d}",
            edition=training_class.edition,
            rate=rate,
            effective_trainees=len(effective),
            amount=amount,
            created_at=at,
            created_by=actor,
        )
        lines = [
            ClaimLine(
                claim=claim,
                n=n,
                enrolment=completion.enrolment,
                verdict=completion.verdict,
                certificate=completion.enrolment.certificate,
                amount=rate,
            )
            for n, completion in enumerate(effective, start=1)
        ]
        ClaimLine.objects.bulk_create(lines)
        _require_unchanged(claim)
        audit.record(
            "claim.drawn_up",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={
                "claim": claim.pk,
                "number": claim.number,
                "edition": claim.edition,
                "heads": claim.effective_trainees,
                "rate": claim.rate,
                "amount": claim.amount,
                "lines": _digest(lines),
            },
            at=at,
        )
        transaction.on_commit(partial(tasks.export_claim.delay, claim.pk), robust=True)
    return claim


def _is_effective(completion: Completion) -> bool:
    """有效培训人数 counts who passed both and holds a certificate that was not revoked (Q4, M11)."""
    certificate = getattr(completion.enrolment, "certificate", None)
    return completion.passed and certificate is not None and certificate.state == CertificateState.VALID


def _digest(lines: list[ClaimLine]) -> str:
    rows = [[line.n, line.enrolment_id, line.certificate_id, str(line.amount)] for line in lines]
    return hashlib.sha256(rfc8785.dumps(rows)).hexdigest()


def _require_claimable(training_class: TrainingClass, at: datetime.datetime) -> None:
    if training_class.state != ClassState.FINISHED:
        raise Refusal(
            "class_not_finished",
            gettext_noop("培训班还没有结班，不能申请补贴。"),
            found=training_class.state,
            required=ClassState.FINISHED,
            rule="F15",
            next_step=gettext_noop("请先在班级页办理结班。"),
        )
    if not training_class.institution.is_designated_on(legal_day(at)):
        raise Refusal(
            "institution_not_designated",
            gettext_noop("本机构现在不是定点培训机构，不能申请补贴。"),
            rule="I1",
            next_step=gettext_noop("请联系当地人社部门。"),
        )
    delivered = delivered_hours_decision(training_class, at)
    if not delivered.passed:
        raise Refusal(
            "hours_not_delivered",
            gettext_noop("实际开课的课时不符合规范的比例要求。"),
            rule="H5",
            next_step=gettext_noop("请在课表里核对没有开的课次。"),
            details={"findings": [finding.render() for finding in delivered.findings if not finding.passed]},
        )


def _require_unchanged(claim: Claim) -> None:
    """Compute every line's attendance again: a claim stands only on verdicts that come out the same today (M6)."""
    now = {credit.enrolment_id: credit for credit in credit_of_class(claim.training_class)}
    for line in claim.lines.select_related("verdict"):
        credit = now.get(line.enrolment_id)
        if credit is None or credit.credited_microseconds != line.verdict.credited_microseconds:
            raise Refusal(
                "verdict_changed",
                gettext_noop("第 %(n)s 行的学时重新计算后和考勤结论不一致，先不能申请。"),
                found=credit.credited_microseconds if credit else None,
                required=line.verdict.credited_microseconds,
                rule="M6",
                params={"n": line.n},
                next_step=gettext_noop("请联系平台运营核对留痕。"),
            )


def submit_claim(*, actor: User, claim: Claim, at: datetime.datetime) -> Claim:
    """Hand the claim to the bureau; submitting again changes nothing.

    Raises Refusal `manager_required` (403), `claim_move`, `verdict_changed`, `hours_not_delivered` and the like.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_manager(actor, claim)
        if claim.state == ClaimState.SUBMITTED:
            return claim
        _require_claimable(claim.training_class, at)
        _require_unchanged(claim)
        _move(claim, "submit")
        claim.submitted_at, claim.reason = at, ""
        claim.save(update_fields=["state", "submitted_at", "reason"])
        audit.record(
            "claim.submitted",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "amount": claim.amount},
            at=at,
        )
    return claim


def return_claim(*, actor: User, claim: Claim, reason: str, at: datetime.datetime) -> Claim:
    """Send a claim back with a reason. Raises Refusal `officer_required` (403), `claim_move`, `reason_required`."""
    with transaction.atomic():
        claim = _lock(claim)
        require_officer(actor, claim)
        _move(claim, "return")
        claim.reason = _reason(reason)
        claim.save(update_fields=["state", "reason"])
        audit.record(
            "claim.returned",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "reason": claim.reason},
            at=at,
        )
    return claim


def open_notice(*, actor: User, claim: Claim, at: datetime.datetime) -> PublicNotice:
    """Accept a claim by announcing it to the public for the edition's number of working days (Q5).

    The day of opening is day 0 (Civil Code art. 201), the last day is included. Opening again returns the notice.
    Raises Refusal `officer_required` (403), `claim_move`, `calendar_unpublished`, `edition_unset`.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_officer(actor, claim)
        existing = PublicNotice.objects.filter(claim=claim).first()
        if existing and claim.state == ClaimState.NOTICED:
            return existing
        _require_unchanged(claim)
        days = editions.edition(claim.edition).whole("public_notice_days")
        today = legal_day(at)
        last_day = state_council_calendar().add_working_days(today, days)
        _move(claim, "notice")
        claim.save(update_fields=["state"])
        notice = PublicNotice.objects.create(
            claim=claim, first_day=today, last_day=last_day, opened_by=actor, opened_at=at
        )
        audit.record(
            "claim.noticed",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "first_day": today, "last_day": last_day},
            at=at,
        )
    return notice


def decide_claim(
    *, actor: User, claim: Claim, approved: bool, reason: str, at: datetime.datetime
) -> Claim:
    """Decide a claim once its notice has ended: lines with an upheld objection are left out of the amount.

    The same decision again changes nothing. Raises Refusal `officer_required` (403), `claim_move`, `notice_running`,
    `objection_open`, `reason_required` (a refusal needs one), `verdict_changed`.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_officer(actor, claim)
        verb = "approve" if approved else "reject"
        if claim.state == (ClaimState.APPROVED if approved else ClaimState.REJECTED):
            return claim
        _move(claim, verb)  # refuses before anything else is looked at
        _require_notice_over(claim, at)
        held = _held_lines(claim)
        _require_unchanged(claim)
        total = sum((line.amount for line in claim.lines.all() if line.n not in held), start=Decimal(0))
        claim.decided_amount = total if approved else Decimal(0)
        claim.decided_at, claim.decided_by = at, actor
        claim.reason = reason.strip() if approved else _reason(reason)
        claim.save(update_fields=["state", "decided_amount", "decided_at", "decided_by", "reason"])
        audit.record(
            "claim.decided",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={
                "claim": claim.pk,
                "number": claim.number,
                "approved": approved,
                "amount": claim.decided_amount,
                "held_lines": sorted(held),
                "reason": claim.reason,
            },
            at=at,
        )
    return claim


def _require_notice_over(claim: Claim, at: datetime.datetime) -> None:
    notice = claim.notice
    days = editions.edition(claim.edition).whole("public_notice_days")
    if days and legal_day(at) <= notice.last_day:
        raise Refusal(
            "notice_running",
            gettext_noop("公示到 %(last_day)s 才结束，结束后才能核定。"),
            found=legal_day(at).isoformat(),
            required=notice.last_day.isoformat(),
            rule="Q5",
            params={"last_day": notice.last_day.isoformat()},
            next_step=gettext_noop("请在公示结束后再来核定。"),
        )


def _held_lines(claim: Claim) -> set[int]:
    """Numbers of the lines left out by upheld objections; raises `objection_open` while one awaits its answer."""
    objections = list(claim.notice.objections.select_related("line"))
    waiting = sum(objection.state == ObjectionState.OPEN for objection in objections)
    if waiting:
        raise Refusal(
            "objection_open",
            gettext_noop("还有 %(waiting)s 件异议没有答复，答复后才能核定。"),
            found=waiting,
            required=0,
            rule="Q6",
            params={"waiting": waiting},
            next_step=gettext_noop("请先逐件答复异议。"),
        )
    upheld = [objection for objection in objections if objection.state == ObjectionState.UPHELD]
    if any(objection.line is None for objection in upheld):
        return set(claim.lines.values_list("n", flat=True))
    return {objection.line.n for objection in upheld if objection.line}


def _lock(claim: Claim) -> Claim:
    """Class before claim, as everywhere."""
    TrainingClass.objects.select_for_update(no_key=True).get(pk=claim.training_class_id)
    return (
        Claim.objects.select_for_update(of=("self",))
        .select_related("training_class__course", "training_class__institution", "institution")
        .get(pk=claim.pk)
    )


def _move(claim: Claim, verb: str) -> None:
    moves = CLAIM_MOVES[claim.state]
    if verb not in moves:
        raise Refusal(
            "claim_move",
            gettext_noop("补贴申请现在是“%(state)s”，不能做这一步。"),
            found=claim.state,
            required=[state for state, verbs in CLAIM_MOVES.items() if verb in verbs],
            rule="F16",
            params={"state": ClaimState(claim.state).label},
            next_step=gettext_noop("请刷新页面，看现在该谁办理。"),
        )
    claim.state = moves[verb]


def _reason(text: str) -> str:
    if not text.strip():
        raise Refusal(
            "reason_required",
            gettext_noop("要写明理由，对方才知道怎么改。"),
            rule="Q6",
            next_step=gettext_noop("请补充理由后再提交。"),
            status=400,
        )
    return text.strip()
