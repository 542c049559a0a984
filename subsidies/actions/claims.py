"""A claim from drawing up to decision. The figures are computed, never entered (F16, F17, Q4).

Locks, in this order: the courses of the claimed type, class, claim. The courses come first because a person
is paid once per course type, whichever class or institution they were in: two claims of one type are settled
one after the other.
"""

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions
from accounts.background import after_commit
from accounts.calendars import calendar
from accounts.models import User
from accounts.reconciliation import require_roles_on_record
from accounts.registers.queries import cancelled_on
from attendance.queries import credit_of_class
from audit.actions import legal_day
from audit.models import Entry
from audit.personal_data import holds_personal_data
from audit.reconciliation import require_borne_out
from audit.verification import verify_chain
from classes.models import TrainingClass
from classes.states import ClassState
from courses.models import Course
from exams.states import CertificateState
from policy.calendar import add_working_days
from policy.completion import claim_amount
from policy.refusals import Refusal
from subsidies import tasks
from subsidies.actions.moves import move_claim
from subsidies.figures import lines_digest
from subsidies.models import Claim, ClaimLine, PublicNotice, Remark
from subsidies.permissions import require_manager, require_officer
from subsidies.queries import EffectiveTrainee, delivered_hours_decision, effective_trainees_of
from subsidies.states import DECIDED_STATES, ClaimState, ObjectionState

MAX_CHARACTERS = 1000


def draw_up_claim(*, actor: User, training_class: TrainingClass, at: datetime.datetime) -> Claim:
    """Draw up the claim of a finished class: one line per effective trainee at the edition's rate.

    Drawing up again returns the claim that is there, with its own `created_at`, until it is decided. Raises
    Refusal `manager_required` (403), `claim_settled` once it is, `class_not_finished`,
    `institution_not_designated`, `qualification_cancelled`, `hours_not_delivered`, `nobody_effective`,
    `verdict_changed`, `evidence_broken`, `evidence_differs`, `edition_unset`.
    """
    with transaction.atomic():
        training_class = _lock_class(training_class)
        require_manager(actor, training_class)
        existing = Claim.objects.filter(training_class=training_class).first()
        if existing:
            _require_unsettled(existing)
            return existing
        _require_claimable(training_class, at)
        effective = _effective(training_class)
        claim = Claim.objects.create(
            training_class=training_class,
            institution=training_class.institution,
            number=f"{legal_day(at):%Y%m}-{training_class.pk:06d}",
            edition=training_class.edition,
            created_at=at,
            created_by=actor,
            **_figures(training_class, effective),
        )
        _write_lines(claim, effective)
        _record_figures("claim.drawn_up", claim, actor, at)
        _require_sound(claim)
        after_commit(tasks.export_claim, claim.pk)
    return claim


def _require_unsettled(claim: Claim) -> None:
    """A class is claimed once (Q4): after the decision there is nothing left to draw up."""
    if claim.state in DECIDED_STATES:
        raise Refusal(
            "claim_settled",
            gettext_noop("这个班的补贴申请 %(number)s 已经办结，不能再拟制。"),
            found=ClaimState(claim.state),
            required=[state for state in ClaimState if state not in DECIDED_STATES],
            rule="Q4",
            params={"number": claim.number},
            next_step=gettext_noop("请打开原来的申请看结果；对结果有疑问，请联系当地人社部门。"),
            details={"claim": claim.pk},
        )


def redraw_claim(*, actor: User, claim: Claim, at: datetime.datetime) -> Claim:
    """Compute the lines of a draft or returned claim again, as they stand now.

    Raises Refusal `manager_required` (403), `claim_move`, and what `draw_up_claim` raises.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_manager(actor, claim.training_class)
        move_claim(claim, "redraw")
        _require_claimable(claim.training_class, at)
        effective = _effective(claim.training_class)
        for name, value in _figures(claim.training_class, effective).items():
            setattr(claim, name, value)
        claim.export, claim.export_sha256 = "", ""
        claim.save(update_fields=["rate", "effective_trainees", "amount", "export", "export_sha256"])
        claim.lines.all().delete()
        _write_lines(claim, effective)
        _record_figures("claim.redrawn", claim, actor, at)
        _require_sound(claim)
        after_commit(tasks.export_claim, claim.pk)
    return claim


def submit_claim(*, actor: User, claim: Claim, at: datetime.datetime) -> Claim:
    """Hand the claim to the bureau; submitting again changes nothing.

    Raises Refusal `manager_required` (403), `claim_move`, `claim_outdated` where drawing up would give other
    lines today, and what `draw_up_claim` raises.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_manager(actor, claim.training_class)
        if claim.state == ClaimState.SUBMITTED:
            return claim
        move_claim(claim, "submit")
        _require_claimable(claim.training_class, at)
        _require_current(claim)
        _require_sound(claim)
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
    """Send a claim back with a reason, which only the institution reads; repeating it changes nothing.

    Raises Refusal `officer_required` (403), `claim_move`, and what `plain_words` raises.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_officer(actor, claim)
        require_roles_on_record(actor, rule="Q4")
        if claim.state == ClaimState.RETURNED and claim.reason == reason.strip():
            return claim
        move_claim(claim, "return")
        claim.reason = plain_words(reason)
        claim.save(update_fields=["state", "reason"])
        entry = audit.record(
            "claim.returned",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "reason": digest_of(claim.reason)},
            at=at,
        )
        Remark.objects.create(claim=claim, seq=entry.seq, text=claim.reason)
    return claim


def open_notice(*, actor: User, claim: Claim, at: datetime.datetime) -> PublicNotice:
    """Accept a claim by announcing it to the public for the edition's number of working days (Q5).

    The day of opening is day 0 (Civil Code art. 201), the last day is included. Opening again returns the
    notice. Raises Refusal `officer_required` (403), `claim_move`, `certificate_revoked`, `verdict_changed`,
    `evidence_broken`, `evidence_differs`, `calendar_unpublished`, `edition_unset`.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_officer(actor, claim)
        require_roles_on_record(actor, rule="Q4")
        existing = PublicNotice.objects.filter(claim=claim).first()
        if existing and claim.state == ClaimState.NOTICED:
            return existing
        move_claim(claim, "notice")
        _require_certificates(claim)
        _require_sound(claim)
        days = editions.edition(claim.edition).whole("public_notice_days")
        today = legal_day(at)
        last_day = add_working_days(today, days, calendar=calendar())
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


def decide_claim(*, actor: User, claim: Claim, approved: bool, reason: str, at: datetime.datetime) -> Claim:
    """Decide a claim once its notice has ended and every objection is answered.

    An approval leaves out lines with an upheld objection or a certificate revoked since. A rejection needs a
    reason. The same decision again changes nothing. Raises Refusal `officer_required` (403), `claim_move`,
    `notice_running`, `objection_open`, `reason_required` (400), `personal_data_in_text` (400), and for an
    approval `nothing_left_to_pay`, `verdict_changed`, `evidence_broken`, `evidence_differs`.
    """
    with transaction.atomic():
        claim = _lock(claim)
        require_officer(actor, claim)
        require_roles_on_record(actor, rule="Q4")
        verb = "approve" if approved else "reject"
        if claim.state == (ClaimState.APPROVED if approved else ClaimState.REJECTED):
            return claim
        move_claim(claim, verb)
        _require_notice_over(claim, at)
        _require_answered(claim)
        claim.reason = plain_words(reason) if reason.strip() or not approved else ""
        lines = list(claim.lines.select_related("certificate"))
        held = {line.n for line in lines} if not approved else held_lines(claim, lines)
        if approved:
            _require_something_left(lines, held)
            _require_sound(claim)
        for line in lines:
            line.decided_amount = Decimal(0) if line.n in held else line.amount
        ClaimLine.objects.bulk_update(lines, ["decided_amount"])
        claim.decided_amount = sum(
            (line.decided_amount or Decimal(0) for line in lines), start=Decimal("0.00")
        )
        claim.decided_at, claim.decided_by = at, actor
        claim.save(update_fields=["state", "decided_amount", "decided_at", "decided_by", "reason"])
        entry = audit.record(
            "claim.decided",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={
                "claim": claim.pk,
                "number": claim.number,
                "approved": approved,
                "amount": claim.decided_amount,
                "held_lines": sorted(held),
                "reason": digest_of(claim.reason) if claim.reason else None,
            },
            at=at,
        )
        if claim.reason:
            Remark.objects.create(claim=claim, seq=entry.seq, text=claim.reason)
    return claim


def held_lines(claim: Claim, lines: Iterable[ClaimLine]) -> set[int]:
    """Numbers of the lines an approval leaves out: upheld objections (Q6), revoked certificates (M11)."""
    upheld = set(
        claim.notice.objections.filter(state=ObjectionState.UPHELD).values_list("line__n", flat=True)
    )
    if None in upheld:  # an objection to the whole notice
        return {line.n for line in lines}
    return {line.n for line in lines if line.n in upheld or line.certificate.state != CertificateState.VALID}


def plain_words(text: str) -> str:
    """Words of an office that others will read: not empty, not endless, without anybody's numbers.

    Raises Refusal `reason_required`, `reason_too_long`, `personal_data_in_text` (all 400).
    """
    text = text.strip()
    if not text:
        raise Refusal(
            "reason_required",
            gettext_noop("要写明理由，对方才知道怎么办。"),
            found=False,
            required=True,
            rule="Q6",
            next_step=gettext_noop("请补充理由后再提交。"),
            status=400,
        )
    if len(text) > MAX_CHARACTERS:
        raise Refusal(
            "reason_too_long",
            gettext_noop("理由最多 %(most)s 字，现在 %(found)s 字。"),
            found=len(text),
            required=MAX_CHARACTERS,
            rule="Q6",
            params={"most": MAX_CHARACTERS, "found": len(text)},
            next_step=gettext_noop("请写短一些。"),
            status=400,
        )
    if holds_personal_data(text):
        raise Refusal(
            "personal_data_in_text",
            gettext_noop("文字里有身份证号或手机号，这里的内容会给别人看。"),
            found=True,
            required=gettext_noop("不写身份证号和手机号"),
            rule="Q5",
            next_step=gettext_noop("请删去号码，用“第几行”来说明是谁。"),
            status=400,
        )
    return text


def digest_of(text: str) -> str:
    """What evidence keeps of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


# --- locks and moves ---


def _lock_class(training_class: TrainingClass) -> TrainingClass:
    course_type = training_class.course.course_type
    list(
        Course.objects.select_for_update(no_key=True)
        .filter(course_type=course_type)
        .order_by("pk")
        .values_list("pk")
    )
    return (
        TrainingClass.objects.select_for_update(of=("self",))
        .select_related("institution__region", "course")
        .get(pk=training_class.pk)
    )


def _lock(claim: Claim) -> Claim:
    training_class = _lock_class(claim.training_class)
    claim = Claim.objects.select_for_update(of=("self",)).select_related("institution").get(pk=claim.pk)
    claim.training_class = training_class
    return claim


# --- figures ---


def _effective(training_class: TrainingClass) -> list[EffectiveTrainee]:
    effective = effective_trainees_of(training_class)
    if not effective:
        raise Refusal(
            "nobody_effective",
            gettext_noop("没有可以申请补贴的学员：要考勤和结业考试都合格、有合格证，并且没有领过同类补贴。"),
            found=0,
            required=1,
            rule="Q4",
            next_step=gettext_noop("请在班级的考勤和考试页核对每个人的结论。"),
        )
    return effective


def _figures(
    training_class: TrainingClass, effective: Sequence[EffectiveTrainee]
) -> dict[str, Decimal | int]:
    edition = editions.edition(training_class.edition)
    course_type = training_class.course.course_type
    return {
        "rate": edition.money("subsidy_rate", course_type),
        "effective_trainees": len(effective),
        "amount": claim_amount(edition, course_type, len(effective)),
    }


def _write_lines(claim: Claim, effective: Sequence[EffectiveTrainee]) -> None:
    ClaimLine.objects.bulk_create(
        ClaimLine(
            claim=claim,
            n=n,
            enrolment=trainee.enrolment,
            verdict=trainee.verdict,
            certificate=trainee.certificate,
            amount=claim.rate,
        )
        for n, trainee in enumerate(effective, start=1)
    )


def _record_figures(kind: str, claim: Claim, actor: User, at: datetime.datetime) -> None:
    lines = claim.lines.select_related("verdict", "certificate").order_by("n")
    audit.record(
        kind,
        actor_id=actor.pk,
        subject=claim.subject,
        facts={
            "claim": claim.pk,
            "number": claim.number,
            "edition": claim.edition,
            "heads": claim.effective_trainees,
            "rate": claim.rate,
            "amount": claim.amount,
            "lines": lines_digest(
                (
                    line.n,
                    line.enrolment_id,
                    line.verdict.credited_microseconds,
                    line.certificate.number,
                    str(line.amount),
                )
                for line in lines
            ),
        },
        at=at,
    )


# --- judgements ---


def _require_claimable(training_class: TrainingClass, at: datetime.datetime) -> None:
    if training_class.state != ClassState.FINISHED:
        raise Refusal(
            "class_not_finished",
            gettext_noop("培训班还没有结班，不能申请补贴。"),
            found=ClassState(training_class.state),
            required=ClassState.FINISHED,
            rule="F15",
            next_step=gettext_noop("请先在班级页办理结班。"),
        )
    if not training_class.institution.is_designated_on(legal_day(at)):
        raise Refusal(
            "institution_not_designated",
            gettext_noop("本机构现在不是定点培训机构，不能申请补贴。"),
            found=False,
            required=True,
            rule="I1",
            next_step=gettext_noop("请联系当地人社部门。"),
        )
    since = cancelled_on(training_class.institution_id, legal_day(at))
    if since is not None:
        raise Refusal(
            "qualification_cancelled",
            gettext_noop("培训资格自 %(since)s 起取消，不能申请补贴。"),
            found=since,
            required=False,
            rule="Q9",
            params={"since": since},
            next_step=gettext_noop("请联系当地人社部门。"),
        )
    delivered = delivered_hours_decision(training_class, at)
    if not delivered.passed:
        raise Refusal(
            "hours_not_delivered",
            gettext_noop("实际开课的课时不符合规范的比例要求。"),
            found=False,
            required=True,
            rule="H5",
            next_step=gettext_noop("请在课表里核对没有开的课次。"),
            details={"findings": [finding for finding in delivered.findings if not finding.passed]},
        )


def _require_current(claim: Claim) -> None:
    """Refuse lines that would not come out the same today: revoked, claimed elsewhere, another rate."""
    drawn = {(line.enrolment_id, line.certificate_id) for line in claim.lines.all()}
    effective = _effective(claim.training_class)
    today = {(trainee.enrolment.pk, trainee.certificate.pk) for trainee in effective}
    if drawn != today or claim.rate != _figures(claim.training_class, effective)["rate"]:
        raise Refusal(
            "claim_outdated",
            gettext_noop(
                "拟制以后情况有变：名单原来 %(drawn)s 人，现在算出来 %(today)s 人，其中 %(gone)s 人不再符合。"
            ),
            found=len(drawn),
            required=len(today),
            rule="Q4",
            params={"drawn": len(drawn), "today": len(today), "gone": len(drawn - today)},
            next_step=gettext_noop("请点“重新拟制”，核对后再提交。"),
        )


def _require_certificates(claim: Claim) -> None:
    revoked = list(claim.lines.exclude(certificate__state=CertificateState.VALID).values_list("n", flat=True))
    if revoked:
        raise Refusal(
            "certificate_revoked",
            gettext_noop("第 %(lines)s 行的合格证已撤销，不能公示。"),
            found=revoked,
            required=False,
            rule="M11",
            params={"lines": revoked},
            next_step=gettext_noop("请退回补正，由机构重新拟制。"),
        )


def _require_sound(claim: Claim) -> None:
    """Compute every line's attendance again and verify the class's evidence (M6).

    A claim stands only on verdicts that come out the same today and say what the log says they said, and on
    rows (presence, exam, certificate, roster, the claim itself) that the log bears out.
    """
    found = verify_chain(claim.training_class.subject)
    if not found.passed:
        raise Refusal(
            "evidence_broken",
            gettext_noop("这个班的留痕核验没有通过：%(place)s，%(meaning)s。"),
            found=found.faults[0].place,
            required=True,
            rule="P10",
            params={"place": found.faults[0].place, "meaning": found.faults[0].meaning},
            next_step=gettext_noop("请联系平台运营核对留痕，核对清楚前不能办理。"),
        )
    now = {credit.enrolment_id: credit for credit in credit_of_class(claim.training_class)}
    lines = list(claim.lines.select_related("verdict"))
    said = {
        entry.seq: entry
        for entry in Entry.objects.filter(
            chain=claim.training_class.subject, seq__in=[line.verdict.evidence_seq for line in lines]
        )
    }
    for line in lines:
        verdict, credit = line.verdict, now.get(line.enrolment_id)
        entry = said.get(verdict.evidence_seq)
        recorded = (
            entry.facts.get("credited_microseconds")
            if entry
            and entry.hash == verdict.evidence_hash
            and entry.subject == f"{claim.training_class.subject}/trainee/{line.enrolment_id}"
            else None
        )
        computed = credit.credited_microseconds if credit else None
        if not verdict.credited_microseconds == computed == recorded:
            raise Refusal(
                "verdict_changed",
                gettext_noop("第 %(n)s 行的学时重新计算后和考勤结论不一致，先不能办理。"),
                found=computed,
                required=recorded,
                rule="M6",
                params={"n": line.n},
                next_step=gettext_noop("请联系平台运营核对留痕。"),
                details={"line": line.n, "verdict": verdict.credited_microseconds},
            )
    require_borne_out(claim.training_class.subject, rule="P10")


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
            params={"last_day": notice.last_day},
            next_step=gettext_noop("请在公示结束后再来核定。"),
        )


def _require_answered(claim: Claim) -> None:
    waiting = claim.notice.objections.filter(state=ObjectionState.OPEN).count()
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


def _require_something_left(lines: Sequence[ClaimLine], held: set[int]) -> None:
    if len(held) == len(lines):
        raise Refusal(
            "nothing_left_to_pay",
            gettext_noop("全部 %(lines)s 行都不能付款，没有可以核定的金额。"),
            found=0,
            required=1,
            rule="Q6",
            params={"lines": len(lines)},
            next_step=gettext_noop("请改作“不予补贴”，并写明理由。"),
        )
