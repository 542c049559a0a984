"""Claims: every line opens down to the seconds that earned it (F16, F17, Q4–Q6)."""

from __future__ import annotations

from accounts.models import Institution, User
from classes.models import Enrolment, TrainingClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from exams.models import Certificate

from attendance.models import Verdict
from subsidies.states import ClaimState, ObjectionState


def export_path(claim: Claim, filename: str) -> str:
    return f"claims/{claim.pk}/{filename}"


class Claim(models.Model):
    """An institution's application for the subsidy of one class: effective trainees × the edition's rate.

    Amounts are yuan with two decimals. The figures are frozen when the claim is drawn up and checked again when
    it is submitted and decided.
    """

    training_class = models.OneToOneField(TrainingClass, models.PROTECT, related_name="claim")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="claims")
    number = models.CharField(_("申请编号"), max_length=20, unique=True)
    state = models.CharField(_("状态"), max_length=10, choices=ClaimState.choices, default=ClaimState.DRAFT)
    edition = models.CharField(_("政策版本"), max_length=40)
    rate = models.DecimalField(_("补贴标准（元/人）"), max_digits=10, decimal_places=2)
    effective_trainees = models.PositiveIntegerField(_("有效培训人数"))
    amount = models.DecimalField(_("申请金额（元）"), max_digits=12, decimal_places=2)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_amount = models.DecimalField(_("核定金额（元）"), max_digits=12, decimal_places=2, null=True)
    reason = models.TextField(_("理由"), blank=True)
    export = models.FileField(upload_to=export_path, blank=True)
    export_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("补贴申请")
        constraints = [
            models.CheckConstraint(name="claim_state_known", condition=Q(state__in=ClaimState.values)),
            models.CheckConstraint(
                name="claim_amount_is_heads_times_rate",
                condition=Q(amount=F("effective_trainees") * F("rate"), rate__gt=0),
            ),
            models.CheckConstraint(
                name="claim_decision_is_whole",
                condition=~Q(state__in=[ClaimState.APPROVED, ClaimState.REJECTED])
                | Q(decided_at__isnull=False, decided_by__isnull=False, decided_amount__gte=0),
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

    class Meta:
        ordering = ["claim_id", "n"]
        verbose_name = _("申请明细")
        constraints = [
            models.UniqueConstraint(fields=["claim", "n"], name="claim_line_number_once"),
            models.CheckConstraint(name="claim_line_amount_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.n}"


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
    text = models.TextField(_("异议内容"), max_length=2000)
    contact_sealed = models.BinaryField(null=True, editable=False)  # how to reach them, if they want an answer
    lodged_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=ObjectionState.choices, default=ObjectionState.OPEN
    )
    answer = models.TextField(_("答复"), blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["notice_id", "lodged_at"]
        verbose_name = _("异议")
        constraints = [
            models.CheckConstraint(name="objection_state_known", condition=Q(state__in=ObjectionState.values)),
            models.CheckConstraint(
                name="objection_answer_is_whole",
                condition=Q(state=ObjectionState.OPEN, answered_at__isnull=True)
                | (Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer="")),
            ),
        ]

    def __str__(self) -> str:
        return f"objection {self.pk}"
