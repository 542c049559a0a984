"""Who may teach, who may train, on which platform: on record with documents (T1-T3, L5-L7, Q8, Q9, N2, P0).

Nothing here is deleted: a document is retired, a measure is lifted, a report is followed by a newer one.
"""

from __future__ import annotations

import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Bureau, Institution, Person, User
from accounts.registers.states import (
    GROUNDS,
    OPEN_STATES,
    DocumentKind,
    Ground,
    MeasureKind,
    QualificationState,
    Route,
)


class Qualification(models.Model):
    """A lecturer's qualification by one route, entered by an institution and confirmed by an office (T1, T2).

    It belongs to the person: once confirmed it counts wherever they teach.
    """

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("讲师"), related_name="qualifications")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="qualifications")
    route = models.CharField(_("资格途径"), max_length=12, choices=Route.choices)
    number = models.CharField(_("证书编号"), max_length=60)
    certified_on = models.DateField(_("发证日期"))
    # From this day the two years of T1 are counted; the other route needs none.
    training_since = models.DateField(_("从事创业培训起"), null=True, blank=True)
    state = models.CharField(
        _("状态"), max_length=10, choices=QualificationState.choices, default=QualificationState.DRAFT
    )
    entered_at = models.DateTimeField(_("登记时间"))
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    submitted_at = models.DateTimeField(_("提交时间"), null=True)
    decided_at = models.DateTimeField(_("确认时间"), null=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("经办人员")
    )
    reason = models.CharField(_("理由"), max_length=300, blank=True)

    class Meta:
        ordering = ["-entered_at", "-pk"]
        verbose_name = _("讲师资格")
        constraints = [
            models.CheckConstraint(
                name="qualification_state_known", condition=Q(state__in=QualificationState.values)
            ),
            models.CheckConstraint(
                name="qualification_by_certificate_counts_years",
                condition=Q(route=Route.CERTIFICATE, training_since__isnull=False)
                | Q(route=Route.EXPERIMENT, training_since__isnull=True),
            ),
            models.CheckConstraint(
                name="qualification_decided_by_somebody",
                condition=~Q(state__in=[QualificationState.CONFIRMED, QualificationState.RETURNED])
                | Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="qualification_return_has_a_reason",
                condition=~Q(state=QualificationState.RETURNED) | ~Q(reason=""),
            ),
            models.UniqueConstraint(
                fields=["person", "institution"],
                condition=~Q(state=QualificationState.CONFIRMED),
                name="qualification_one_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.route}"

    @property
    def subject(self) -> str:
        return f"institution/{self.institution_id}/qualification/{self.pk}"

    @property
    def status(self) -> QualificationState:
        return QualificationState(self.state)

    @property
    def is_open(self) -> bool:
        """Whether the institution may still change it."""
        return self.state in OPEN_STATES


class Measure(models.Model):
    """An order of an office with effect from a day: against a lecturer, an institution, or, where it names
    neither, the platform itself.
    """

    kind = models.CharField(_("措施"), max_length=16, choices=MeasureKind.choices)
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, verbose_name=_("讲师"), related_name="measures"
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, verbose_name=_("机构"), related_name="measures"
    )
    row = models.CharField(_("依据"), max_length=4, choices=Ground.choices)
    ground = models.CharField(_("事实和理由"), max_length=500)
    since = models.DateField(_("生效日期"))
    deadline = models.DateField(_("改正期限"), null=True, blank=True)
    is_announced = models.BooleanField(_("全省通报"), default=False)
    bureau = models.ForeignKey(Bureau, models.PROTECT, verbose_name=_("决定机关"), related_name="measures")
    ordered_at = models.DateTimeField(_("登记时间"))
    ordered_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办人员"))
    # From this day on it no longer holds.
    ended_on = models.DateField(_("解除日期"), null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("解除人"))
    end_reason = models.CharField(_("解除理由"), max_length=500, blank=True)

    class Meta:
        ordering = ["-ordered_at", "-pk"]
        verbose_name = _("管理措施")
        constraints = [
            models.CheckConstraint(
                name="measure_against_whom_its_kind_says",
                condition=Q(kind=MeasureKind.DISQUALIFICATION, person__isnull=False, institution__isnull=True)
                | Q(kind__in=[MeasureKind.RECTIFICATION, MeasureKind.CANCELLATION], person__isnull=True),
            ),
            models.CheckConstraint(
                name="measure_rests_on_a_row_of_its_kind",
                condition=Q(kind=MeasureKind.DISQUALIFICATION, row__in=GROUNDS["disqualification"])
                | Q(kind=MeasureKind.RECTIFICATION, row__in=GROUNDS["rectification"])
                | Q(kind=MeasureKind.CANCELLATION, row__in=GROUNDS["cancellation"]),
            ),
            models.CheckConstraint(
                name="measure_rectification_has_a_deadline",
                condition=Q(kind=MeasureKind.RECTIFICATION, deadline__isnull=False, deadline__gte=F("since"))
                | ~Q(kind=MeasureKind.RECTIFICATION) & Q(deadline__isnull=True),
            ),
            models.CheckConstraint(
                name="measure_only_lecturers_are_announced",
                condition=Q(is_announced=False) | Q(kind=MeasureKind.DISQUALIFICATION),
            ),
            models.CheckConstraint(
                name="measure_ended_by_somebody_for_a_reason",
                condition=Q(ended_on__isnull=True, ended_at__isnull=True, end_reason="")
                | Q(ended_on__isnull=False, ended_at__isnull=False, ended_by__isnull=False)
                & ~Q(end_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.since}"

    @property
    def subject(self) -> str:
        return f"{self._chain}/measure/{self.pk}"

    @property
    def _chain(self) -> str:
        if self.person_id:
            return f"person/{self.person_id}"
        return f"institution/{self.institution_id}" if self.institution_id else "platform/record"

    def is_in_force(self, day: datetime.date) -> bool:
        return self.since <= day and (self.ended_on is None or day < self.ended_on)


class Document(models.Model):
    """A paper on record: of a qualification, of an institution's designation, or of a condition of the
    platform (`condition`: its ledger row). Both days are included; an open end is without limit.
    """

    qualification = models.ForeignKey(
        Qualification, models.PROTECT, null=True, related_name="documents", verbose_name=_("讲师资格")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, related_name="documents", verbose_name=_("机构")
    )
    condition = models.CharField(_("平台条件"), max_length=4, blank=True)
    kind = models.CharField(_("材料种类"), max_length=14, choices=DocumentKind.choices)
    name = models.CharField(_("材料名称"), max_length=60)
    number = models.CharField(_("文号或编号"), max_length=60, blank=True)
    valid_from = models.DateField(_("有效期起"), null=True)
    valid_until = models.DateField(_("有效期止"), null=True)
    added_at = models.DateTimeField(_("登记时间"))
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    retired_at = models.DateTimeField(_("作废时间"), null=True)
    retired_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["kind", "condition", "-added_at", "-pk"]
        verbose_name = _("登记材料")
        constraints = [
            models.CheckConstraint(
                name="register_document_of_one_thing",
                condition=Q(qualification__isnull=False, institution__isnull=True, condition="")
                & ~Q(kind__in=[DocumentKind.DESIGNATION, DocumentKind.CONDITION])
                | Q(
                    qualification__isnull=True,
                    institution__isnull=False,
                    condition="",
                    kind=DocumentKind.DESIGNATION,
                )
                | Q(qualification__isnull=True, institution__isnull=True, kind=DocumentKind.CONDITION)
                & ~Q(condition=""),
            ),
            models.CheckConstraint(
                name="register_document_ends_after_it_begins",
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="register_document_retired_by_somebody",
                condition=Q(retired_at__isnull=True, retired_by__isnull=True)
                | Q(retired_at__isnull=False, retired_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        if self.qualification:
            return f"{self.qualification.subject}/document/{self.pk}"
        owner = f"institution/{self.institution_id}" if self.institution_id else "platform/record"
        return f"{owner}/document/{self.pk}"

    def is_valid_on(self, day: datetime.date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        return self.retired_at is None and begun and (self.valid_until is None or day <= self.valid_until)


class DocumentFile(models.Model):
    """The picture of a document, encrypted under a key of its own (`accounts.pictures`)."""

    document = models.OneToOneField(Document, models.CASCADE, primary_key=True, related_name="file")
    ciphertext = models.BinaryField(editable=False)
    sha256 = models.CharField(_("摘要"), max_length=64, editable=False)  # of the ciphertext: tells nothing

    class Meta:
        verbose_name = _("材料照片")

    def __str__(self) -> str:
        return str(self.document_id)


class DocumentKey(models.Model):
    """The key of one picture, sealed."""

    file = models.OneToOneField(DocumentFile, models.CASCADE, primary_key=True, related_name="key")
    sealed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("材料密钥")

    def __str__(self) -> str:
        return str(self.file_id)


class PlatformReport(models.Model):
    """What was reported to the province about this platform: five facts (N2). The newest one holds."""

    name = models.CharField(_("平台名称"), max_length=80)
    legal_representative = models.CharField(_("法定代表人"), max_length=40)
    address = models.CharField(_("地址"), max_length=200)
    contact_person = models.CharField(_("联系人"), max_length=40)
    contact_details = models.CharField(_("联系方式"), max_length=80)
    saved_at = models.DateTimeField(_("登记时间"))
    saved_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("登记人"))

    class Meta:
        ordering = ["-saved_at", "-pk"]
        verbose_name = _("平台备案信息")

    def __str__(self) -> str:
        return self.name
