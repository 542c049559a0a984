"""Claims: every line opens down to the seconds that earned it (F16, F17, Q4–Q6)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, User
from attendance.models import Verdict
from classes.models import Enrolment, TrainingClass
from exams.models import Certificate
from subsidies.states import DECIDED_STATES, ClaimState, ObjectionState


def export_path(claim: Claim, filename: str) -> str:
    return f"claims/{claim.pk}/{filename}"


class Claim(models.Model):
    """An institution's application for the subsidy of one class: effective trainees × the edition's rate.

    Amounts are yuan with two decimals. The figures are computed when the claim is drawn up, and judged again
    whenever it moves on.
    """

    training_class = models.OneToOneField(
        TrainingClass, models.PROTECT, verbose_name=_("培训班"), related_name="claim"
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name=_("机构"), related_name="claims"
    )
    number = models.CharField(_("申请编号"), max_length=20, unique=True)
    state = models.CharField(_("状态"), max_length=10, choices=ClaimState.choices, default=ClaimState.DRAFT)
    edition = models.CharField(_("政策版本"), max_length=40)
    rate = models.DecimalField(_("补贴标准（元/人）"), max_digits=10, decimal_places=2)
    effective_trainees = models.PositiveIntegerField(_("有效培训人数"))
    amount = models.DecimalField(_("申请金额（元）"), max_digits=12, decimal_places=2)
    created_at = models.DateTimeField(_("拟制时间"))
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(_("提交时间"), null=True, blank=True)
    decided_at = models.DateTimeField(_("核定时间"), null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_amount = models.DecimalField(
        _("核定金额（元）"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    reason = models.TextField(_("理由"), blank=True)  # the office's last word; earlier ones are remarks
    export = models.FileField(upload_to=export_path, blank=True)
    export_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("补贴申请")
        indexes = [models.Index(fields=["state", "submitted_at"], name="claim_queue")]
        constraints = [
            models.CheckConstraint(name="claim_state_known", condition=Q(state__in=ClaimState.values)),
            models.CheckConstraint(
                name="claim_amount_is_heads_times_rate",
                condition=Q(amount=F("effective_trainees") * F("rate"), rate__gt=0, effective_trainees__gt=0),
            ),
            models.CheckConstraint(
                name="claim_before_an_office_was_submitted",
                condition=Q(state=ClaimState.DRAFT) | Q(submitted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="claim_decision_is_whole",
                condition=Q(
                    state__in=DECIDED_STATES,
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    decided_amount__isnull=False,
                    decided_amount__gte=0,
                    decided_amount__lte=F("amount"),
                )
                | ~Q(state__in=DECIDED_STATES)
                & Q(decided_at__isnull=True, decided_by__isnull=True, decided_amount__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        return f"class/{self.training_class_id}/claim/{self.pk}"


class ClaimLine(models.Model):
    """One effective trainee of a claim, with the verdict and certificate that make them one (Q4)."""

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="lines")
    n = models.PositiveSmallIntegerField(_("行"))
    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="claim_line")
    verdict = models.ForeignKey(Verdict, models.PROTECT, related_name="+")
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="+")
    amount = models.DecimalField(_("金额（元）"), max_digits=10, decimal_places=2)
    # Set by the decision: the amount, or 0 for a line that is left out.
    decided_amount = models.DecimalField(
        _("核定金额（元）"), max_digits=10, decimal_places=2, null=True, blank=True
    )

    class Meta:
        ordering = ["claim_id", "n"]
        verbose_name = _("申请明细")
        constraints = [
            models.UniqueConstraint(fields=["claim", "n"], name="claim_line_number_once"),
            models.CheckConstraint(name="claim_line_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="claim_line_is_paid_whole_or_not_at_all",
                condition=Q(decided_amount__isnull=True)
                | Q(decided_amount=0)
                | Q(decided_amount=F("amount")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.n}"

    @property
    def public_name(self) -> str:
        """The name as the public reads it: 王*满; the given name of two characters goes altogether: 王*."""
        name = self.enrolment.person.name
        return f"{name[:1]}{'*' * max(1, len(name) - 2)}{name[2:][-1:]}"


class Remark(models.Model):
    """What an office wrote when it returned or decided a claim. The evidence entry `seq` holds its digest."""

    append_only: ClassVar[bool] = True

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="remarks")
    seq = models.BigIntegerField()  # of the entry in the class's chain
    text = models.TextField(_("理由"))

    class Meta:
        ordering = ["claim_id", "seq"]
        verbose_name = _("办理意见")
        constraints = [
            models.UniqueConstraint(fields=["claim", "seq"], name="remark_once_per_step"),
            models.CheckConstraint(name="remark_says_something", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id}#{self.seq}"


class PublicNotice(models.Model):
    """The public notice of a claim: masked names, a first and a last day, both included (Q5)."""

    claim = models.OneToOneField(Claim, models.PROTECT, related_name="notice")
    first_day = models.DateField(_("公示首日"))
    last_day = models.DateField(_("公示末日"))
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["-first_day", "-pk"]
        verbose_name = _("公示")
        constraints = [
            models.CheckConstraint(
                name="notice_ends_after_it_begins", condition=Q(last_day__gte=F("first_day"))
            )
        ]

    def __str__(self) -> str:
        return f"notice of {self.claim_id}"


class Objection(models.Model):
    """Somebody's objection to a notice or to one of its lines; it stops the decision until answered (Q6)."""

    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="objections")
    line = models.ForeignKey(ClaimLine, models.PROTECT, null=True, blank=True, related_name="objections")
    text = models.TextField(_("异议内容"))
    contact_sealed = models.BinaryField(null=True, editable=False)  # how to reach them, if they want it
    lodged_at = models.DateTimeField()
    state = models.CharField(
        _("状态"), max_length=10, choices=ObjectionState.choices, default=ObjectionState.OPEN
    )
    answer = models.TextField(_("答复"), blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["notice_id", "lodged_at", "pk"]
        verbose_name = _("异议")
        constraints = [
            models.CheckConstraint(
                name="objection_state_known", condition=Q(state__in=ObjectionState.values)
            ),
            models.CheckConstraint(
                name="objection_answer_is_whole",
                condition=Q(
                    state=ObjectionState.OPEN, answered_at__isnull=True, answered_by__isnull=True, answer=""
                )
                | ~Q(state=ObjectionState.OPEN)
                & Q(answered_at__isnull=False, answered_by__isnull=False)
                & ~Q(answer=""),
            ),
        ]

    def __str__(self) -> str:
        return f"objection {self.pk}"
