"""Promotion, registrations, their screening, and the evidence of a trainee's category (F2-F6, I4, S6)."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import vault
from accounts.id_numbers import IdNumber
from accounts.models import Institution, Person, User, id_number_index
from classes.models import CATEGORIES, Enrolment, TrainingClass
from classes.recruitment.states import (
    CampaignState,
    Education,
    EvidenceState,
    RegistrationState,
    Source,
    Stage,
)
from courses.models import Course
from policy.terms import TraineeCategory

# Letters and digits that nobody mistakes for one another on a poster: no 0 O 1 I L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_code(length: int) -> str:
    """A random code for people to type."""
    return "".join(secrets.choice(ALPHABET) for _place in range(length))


class Campaign(models.Model):
    """A course for which an institution recruits: planned when, how many places, open or closed (F2)."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="campaigns")
    course = models.ForeignKey(Course, models.PROTECT, verbose_name=_("课程"), related_name="campaigns")
    planned_from = models.DateField(_("计划开班"))
    planned_until = models.DateField(_("计划结班"))
    places = models.PositiveSmallIntegerField(_("计划人数"))
    description = models.TextField(_("招生说明"), max_length=1000, blank=True)
    state = models.CharField(
        _("状态"), max_length=8, choices=CampaignState.choices, default=CampaignState.OPEN
    )
    created_at = models.DateTimeField(_("发布时间"))
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["planned_from", "pk"]
        verbose_name = _("招生项目")
        constraints = [
            models.CheckConstraint(
                name="campaign_ends_after_it_begins", condition=Q(planned_until__gte=F("planned_from"))
            ),
            models.CheckConstraint(name="campaign_has_places", condition=Q(places__gt=0)),
            models.CheckConstraint(name="campaign_state_known", condition=Q(state__in=CampaignState.values)),
        ]

    def __str__(self) -> str:
        return f"{self.institution_id}: {self.course_id} {self.planned_from}"

    @property
    def title(self) -> str:
        """How people tell it from the institution's other campaigns: its course and its planned start."""
        return gettext("%(course)s，计划 %(day)s 开班") % {
            "course": self.course.name,
            "day": date_format(self.planned_from),
        }

    @property
    def subject(self) -> str:
        return f"institution/{self.institution_id}/campaign/{self.pk}"

    @property
    def status(self) -> CampaignState:
        return CampaignState(self.state)


class OfflineEvent(models.Model):
    """A promotion away from the screen; its code leads to the form with the source filled in (F2, I4).

    Venue and recruiter are what an entrusted recruitment would show first (I5).
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="events")
    code = models.CharField(_("活动码"), max_length=8, unique=True, editable=False)
    title = models.CharField(_("活动名称"), max_length=60)
    held_on = models.DateField(_("日期"))
    venue = models.CharField(_("地点"), max_length=120)
    recruiter = models.CharField(_("招生人员"), max_length=40)
    created_at = models.DateTimeField(_("建立时间"))
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    CODE_LENGTH: ClassVar[int] = 6

    class Meta:
        ordering = ["-held_on", "-pk"]
        verbose_name = _("线下活动")

    def __str__(self) -> str:
        return self.code


class Registration(models.Model):
    """One filled-in registration form (学员报名表, M1) for one institution's campaign.

    The form holds what was typed, sealed; no `Person` is made of it until the institution has put the trainee
    in a class, so that nobody can occupy somebody else's ID number by typing it into a public page. The same
    human is recognised by blind index.
    """

    # Given by the browser with the form: sent twice, it is the same registration.
    key = models.UUIDField(unique=True, editable=False)
    number = models.CharField(_("报名号"), max_length=8, unique=True, editable=False)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="registrations")
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="registrations")
    course = models.ForeignKey(
        Course, models.PROTECT, verbose_name=_("报名课程"), related_name="registrations"
    )
    fitting_course = models.ForeignKey(
        Course, models.PROTECT, null=True, verbose_name=_("适合的课程"), related_name="+"
    )
    source = models.CharField(_("报名来源"), max_length=10, choices=Source.choices)
    event = models.ForeignKey(OfflineEvent, models.PROTECT, null=True, related_name="registrations")
    entered_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("填表人")
    )

    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="registrations")
    name = models.CharField(_("姓名"), max_length=40)
    id_number_sealed = models.BinaryField(editable=False)
    id_number_index = models.BinaryField(max_length=32, editable=False)
    id_number_masked = models.CharField(_("身份证号"), max_length=18, editable=False)
    phone_sealed = models.BinaryField(editable=False)
    phone_index = models.BinaryField(max_length=32, editable=False)
    phone_masked = models.CharField(_("手机号"), max_length=20, editable=False)
    category = models.CharField(_("学员类别"), max_length=24, choices=CATEGORIES)
    education = models.CharField(_("文化程度"), max_length=12, choices=Education.choices)
    occupation = models.CharField(_("现在做什么"), max_length=60)
    wish = models.TextField(_("培训愿望"), max_length=500, blank=True)

    privacy_version = models.CharField(_("告知书版本"), max_length=40)
    privacy_sha256 = models.CharField(_("告知书摘要"), max_length=64)
    submitted_at = models.DateTimeField(_("报名时间"))

    state = models.CharField(
        _("状态"), max_length=10, choices=RegistrationState.choices, default=RegistrationState.SUBMITTED
    )
    waiting_since = models.DateTimeField(_("候补起"), null=True)
    decided_at = models.DateTimeField(_("答复时间"), null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    enrolment = models.OneToOneField(
        Enrolment, models.PROTECT, null=True, related_name="registration", verbose_name=_("学员")
    )
    # Opens the commitment to ID number, name and category in the evidence log; sealed by the vault.
    commitment_salt_sealed = models.BinaryField(editable=False)

    NUMBER_LENGTH: ClassVar[int] = 8
    ID_CONTEXT: ClassVar[bytes] = b"registration.id_number"
    PHONE_CONTEXT: ClassVar[bytes] = b"registration.phone"
    SALT_CONTEXT: ClassVar[bytes] = b"registration.commitment_salt"

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        verbose_name = _("报名")
        indexes = [
            models.Index(fields=["institution", "state", "submitted_at"], name="registration_inbox"),
            models.Index(fields=["id_number_index"], name="registration_same_person"),
            models.Index(fields=["phone_index"], name="registration_same_phone"),
        ]
        constraints = [
            models.CheckConstraint(
                name="registration_state_known", condition=Q(state__in=RegistrationState.values)
            ),
            models.CheckConstraint(
                name="registration_category_known",
                condition=Q(category__in=[c.value for c in TraineeCategory]),
            ),
            models.CheckConstraint(name="registration_source_known", condition=Q(source__in=Source.values)),
            models.CheckConstraint(
                name="registration_of_an_event_names_it",
                condition=Q(source=Source.EVENT, event__isnull=False)
                | ~Q(source=Source.EVENT) & Q(event__isnull=True),
            ),
            models.CheckConstraint(
                name="registration_waiting_since_when",
                condition=Q(state=RegistrationState.WAITING, waiting_since__isnull=False)
                | ~Q(state=RegistrationState.WAITING) & Q(waiting_since__isnull=True),
            ),
            models.CheckConstraint(
                name="registration_assigned_is_on_a_roster",
                condition=Q(state=RegistrationState.ASSIGNED, enrolment__isnull=False, person__isnull=False)
                | ~Q(state=RegistrationState.ASSIGNED) & Q(enrolment__isnull=True),
            ),
            models.CheckConstraint(
                name="registration_rejection_has_a_reason",
                condition=~Q(state=RegistrationState.REJECTED) | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        return f"institution/{self.institution_id}/registration/{self.pk}"

    @property
    def status(self) -> RegistrationState:
        return RegistrationState(self.state)

    @property
    def spoken_number(self) -> str:
        """The number in two groups of four, as people read it out."""
        return f"{self.number[:4]}-{self.number[4:]}"

    @property
    def training_class(self) -> TrainingClass | None:
        return self.enrolment.training_class if self.enrolment else None

    @property
    def source_name(self) -> str:
        """Which event or which campaign's page it came by (I4); empty where the source says all."""
        if self.event is not None:
            return self.event.title
        return self.campaign.title if self.source == Source.CAMPAIGN else ""

    @property
    def source_text(self) -> str:
        """The source with the name of what it came by."""
        source = self.get_source_display()
        name = self.source_name
        return gettext("%(source)s（%(name)s）") % {"source": source, "name": name} if name else source

    def seal(self, *, id_number: IdNumber, phone: str) -> None:
        """Set the columns of the ID number and of the phone together."""
        self.id_number_sealed = vault.seal(id_number.value.encode(), context=self.ID_CONTEXT)
        self.id_number_index = id_number_index(id_number)
        self.id_number_masked = id_number.masked
        self.phone_sealed = vault.seal(phone.encode(), context=self.PHONE_CONTEXT)
        self.phone_index = phone_index(phone)
        self.phone_masked = phone[:3] + "****" + phone[-4:]

    def open_id_number(self) -> IdNumber:
        """Decrypt the ID number: for enrolling, never for screens, logs or evidence."""
        return IdNumber(vault.unseal(self.id_number_sealed, context=self.ID_CONTEXT).decode())

    def open_phone(self) -> str:
        """Decrypt the phone, for the institution that has to call its applicant."""
        return vault.unseal(self.phone_sealed, context=self.PHONE_CONTEXT).decode()


def phone_index(phone: str) -> bytes:
    """The blind index under which registrations with this phone are found."""
    return vault.blind_index(phone, context="registration.phone")


class Screening(models.Model):
    """One answered questionnaire (F4, F5): answers, exact score, stage, needs; the latest one counts.

    A member of staff may judge otherwise, with a reason; what the tool had found stays.
    """

    registration = models.ForeignKey(Registration, models.PROTECT, related_name="screenings")
    questionnaire = models.CharField(_("问卷版本"), max_length=40)
    answers = models.JSONField()
    score = models.PositiveSmallIntegerField(_("得分"))
    most = models.PositiveSmallIntegerField(_("满分"))
    stage = models.CharField(_("分类"), max_length=12, choices=Stage.choices)
    needs = models.JSONField(_("培训需求"))
    suggested_course = models.ForeignKey(Course, models.PROTECT, null=True, related_name="+")
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("筛选时间"))
    changed_stage = models.CharField(_("改判为"), max_length=12, choices=Stage.choices, blank=True)
    changed_course = models.ForeignKey(Course, models.PROTECT, null=True, related_name="+")
    changed_reason = models.CharField(_("改判理由"), max_length=300, blank=True)
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("学员筛选")
        constraints = [
            models.CheckConstraint(name="screening_stage_known", condition=Q(stage__in=Stage.values)),
            models.CheckConstraint(name="screening_score_in_range", condition=Q(score__lte=F("most"))),
            models.CheckConstraint(
                name="screening_change_has_a_reason",
                condition=Q(changed_at__isnull=True, changed_stage="", changed_reason="")
                | Q(changed_at__isnull=False, changed_stage__in=Stage.values, changed_by__isnull=False)
                & ~Q(changed_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registration_id}: {self.stage}"

    @property
    def found(self) -> Stage:
        """What the questionnaire found."""
        return Stage(self.stage)

    @property
    def judged(self) -> Stage:
        """What counts: the staff's judgement where there is one."""
        return Stage(self.changed_stage or self.stage)


class StaffNote(models.Model):
    """A remark of the institution's staff about a registration."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="notes")
    text = models.TextField(_("备注"), max_length=500)
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("备注")

    def __str__(self) -> str:
        return f"{self.registration_id}: {self.at}"


class CategoryEvidence(models.Model):
    """A document that shows a person's category, as one institution holds it (S1-S6).

    Found by the ID number's blind index, so that it belongs to the human from the registration on; another
    institution's evidence is never shown.
    """

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    id_number_index = models.BinaryField(max_length=32, editable=False)
    registration = models.ForeignKey(Registration, models.PROTECT, null=True, related_name="evidence")
    category = models.CharField(_("学员类别"), max_length=24, choices=CATEGORIES)
    document = models.CharField(_("证明材料"), max_length=60)
    valid_from = models.DateField(_("有效期起"), null=True)
    valid_until = models.DateField(_("有效期止"), null=True)
    state = models.CharField(
        _("核对"), max_length=8, choices=EvidenceState.choices, default=EvidenceState.WAITING
    )
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    handed_in_at = models.DateTimeField(_("提交时间"))
    handed_in_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    checked_at = models.DateTimeField(_("核对时间"), null=True)
    checked_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("核对人")
    )

    class Meta:
        ordering = ["-handed_in_at", "-pk"]
        verbose_name = _("类别证明")
        indexes = [models.Index(fields=["institution", "id_number_index"], name="category_evidence_of")]
        constraints = [
            models.CheckConstraint(
                name="category_evidence_state_known", condition=Q(state__in=EvidenceState.values)
            ),
            models.CheckConstraint(
                name="category_evidence_category_known",
                condition=Q(category__in=[c.value for c in TraineeCategory]),
            ),
            models.CheckConstraint(
                name="category_evidence_ends_after_it_begins",
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="category_evidence_checked_by_somebody",
                condition=Q(state=EvidenceState.WAITING, checked_at__isnull=True)
                | ~Q(state=EvidenceState.WAITING) & Q(checked_at__isnull=False, checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="category_evidence_refusal_has_a_reason",
                condition=~Q(state=EvidenceState.REFUSED) | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.document}"

    @property
    def subject(self) -> str:
        return f"institution/{self.institution_id}/category-evidence/{self.pk}"

    @property
    def status(self) -> EvidenceState:
        return EvidenceState(self.state)


class EvidencePicture(models.Model):
    """The photo of a document, encrypted under a key of its own. Readable only through its key's row."""

    evidence = models.OneToOneField(
        CategoryEvidence, models.CASCADE, primary_key=True, related_name="picture"
    )
    ciphertext = models.BinaryField(editable=False)
    sha256 = models.CharField(_("摘要"), max_length=64, editable=False)  # of the ciphertext: tells nothing

    class Meta:
        verbose_name = _("证明照片")

    def __str__(self) -> str:
        return str(self.evidence_id)


class EvidencePictureKey(models.Model):
    """The key of one photo, sealed. Deleting this row destroys the photo, in backups too."""

    picture = models.OneToOneField(EvidencePicture, models.CASCADE, primary_key=True, related_name="key")
    sealed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("照片密钥")

    def __str__(self) -> str:
        return str(self.picture_id)
