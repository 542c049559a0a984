"""Consent, face templates, face checks, and the one-time codes of the equal way without a face."""

from __future__ import annotations

import datetime
from fractions import Fraction

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, User
from identity.states import OUTCOME_OF, PROVEN, CheckState, ConsentPurpose, Destroyed, Outcome, Purpose


class Consent(models.Model):
    """A person's separate consent, with the very text it was given to (人脸识别技术应用安全管理办法 第六条).

    `text_sha256` is of the text as shown: the file of `text_version` filled with `operator` and `contact`.
    """

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("本人"), related_name="consents")
    purpose = models.CharField(_("用途"), max_length=12, choices=ConsentPurpose.choices)
    text_version = models.CharField(_("同意书版本"), max_length=40)
    text_sha256 = models.CharField(_("同意书摘要"), max_length=64)
    operator = models.CharField(_("处理者"), max_length=80)
    contact = models.CharField(_("联系方式"), max_length=120)
    given_at = models.DateTimeField(_("同意时间"))
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True)

    class Meta:
        ordering = ["-given_at"]
        verbose_name = _("同意")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "purpose"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_one_open_per_person_and_purpose",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")),
                name="consent_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=ConsentPurpose.values), name="consent_purpose_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.purpose} {self.text_version}"


class FaceTemplate(models.Model):
    """What is kept of a face: vectors of one engine, encrypted; no picture. Readable only through its key.

    `commitment` is the SHA-256 of the ciphertext: it names this very template in evidence and tells nothing
    else.
    """

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("本人"), related_name="face_templates")
    consent = models.ForeignKey(Consent, models.PROTECT, verbose_name=_("同意"), related_name="templates")
    engine_id = models.CharField(_("引擎"), max_length=60)
    ciphertext = models.BinaryField(editable=False)
    commitment = models.CharField(_("摘要"), max_length=64, editable=False)
    frames = models.PositiveSmallIntegerField(_("照片数"))
    created_at = models.DateTimeField(_("录入时间"))
    expires_at = models.DateTimeField(_("到期时间"), db_index=True)
    destroyed_at = models.DateTimeField(_("销毁时间"), null=True)
    destroyed_because = models.CharField(_("销毁原因"), max_length=12, choices=Destroyed.choices, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("人脸特征")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "engine_id"],
                condition=Q(destroyed_at__isnull=True),
                name="face_template_one_live_per_person_and_engine",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="face_template_expires_after_it_was_made"
            ),
            models.CheckConstraint(condition=Q(frames__gte=1), name="face_template_has_frames"),
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True, destroyed_because="")
                | Q(destroyed_at__isnull=False, destroyed_because__in=Destroyed.values, ciphertext=b""),
                name="face_template_destroyed_is_empty_and_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.engine_id}"


class TemplateKey(models.Model):
    """The key of one template, sealed. Deleting this row destroys the template."""

    template = models.OneToOneField(FaceTemplate, models.CASCADE, primary_key=True, related_name="key")
    sealed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("特征密钥")

    def __str__(self) -> str:
        return str(self.template_id)


class FaceCheck(models.Model):
    """One showing of a face: asked for by a request, judged by a worker, in doubt decided by a person.

    `subject` is the evidence subject it serves, such as `class/12/lesson/40/person/7`.
    """

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("本人"), related_name="face_checks")
    purpose = models.CharField(_("用途"), max_length=12, choices=Purpose.choices)
    subject = models.CharField(_("对象"), max_length=200)
    state = models.CharField(_("状态"), max_length=12, choices=CheckState.choices, default=CheckState.PENDING)
    problem = models.CharField(_("照片的问题"), max_length=40, blank=True)
    engine_id = models.CharField(_("引擎"), max_length=60, blank=True)
    score_permille = models.SmallIntegerField(_("相似度（千分）"), null=True)
    template = models.ForeignKey(FaceTemplate, models.PROTECT, null=True, related_name="checks")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("拍照时间"))
    judged_at = models.DateTimeField(_("核对时间"), null=True)
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("核对人")
    )
    reviewed_at = models.DateTimeField(_("人工核对时间"), null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("人脸核对")
        indexes = [
            models.Index(fields=["subject", "state"], name="face_check_about"),
            models.Index(fields=["at"], condition=Q(state=CheckState.PENDING), name="face_check_waiting"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=CheckState.values), name="face_check_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["person", "purpose", "subject"],
                condition=Q(state=CheckState.PENDING),
                name="face_check_one_waiting_per_person_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(state=CheckState.PENDING, judged_at__isnull=True)
                | (~Q(state=CheckState.PENDING) & Q(judged_at__isnull=False)),
                name="face_check_judged_once_it_left_the_queue",
            ),
            models.CheckConstraint(
                condition=(Q(state=CheckState.UNUSABLE) & ~Q(problem=""))
                | (~Q(state=CheckState.UNUSABLE) & Q(problem="")),
                name="face_check_unusable_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[CheckState.CONFIRMED, CheckState.DENIED], reviewed_by__isnull=False)
                | (~Q(state__in=[CheckState.CONFIRMED, CheckState.DENIED]) & Q(reviewed_by__isnull=True)),
                name="face_check_reviewed_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject}: {self.state}"

    @property
    def passed(self) -> bool:
        """Whether this check proves that the person was there."""
        return self.state in PROVEN

    @property
    def likeness(self) -> Fraction | None:
        """How alike the faces are, as a share; None where nothing was compared."""
        return None if self.score_permille is None else Fraction(self.score_permille, 1000)

    @property
    def outcome(self) -> Outcome | None:
        """What the engine said; None while it has not spoken."""
        return OUTCOME_OF.get(CheckState(self.state))

    @cached_property
    def has_frame(self) -> bool:
        return FaceFrames.objects.filter(face_check=self).exists()


class FaceFrames(models.Model):
    """The pictures of a check, encrypted: all of them until it is judged, one while it waits for a person."""

    face_check = models.OneToOneField(FaceCheck, models.CASCADE, primary_key=True, related_name="frames")
    sealed = models.BinaryField(editable=False)
    keep_until = models.DateTimeField(_("保留到"), db_index=True)

    class Meta:
        verbose_name = _("待核对照片")

    def __str__(self) -> str:
        return str(self.face_check_id)


class OneTimeCode(models.Model):
    """A code that the assistant reads out to a person they see: the equal way without a face.

    Only a keyed hash is kept. A new code for the same person and subject closes the one before.
    """

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("本人"), related_name="one_time_codes")
    subject = models.CharField(_("对象"), max_length=200)
    code_hash = models.BinaryField(max_length=32, editable=False)
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("发码人"))
    issued_at = models.DateTimeField(_("发码时间"))
    expires_at = models.DateTimeField(_("有效到"))
    closed_at = models.DateTimeField(_("作废时间"), null=True)
    redeemed_at = models.DateTimeField(_("使用时间"), null=True)

    class Meta:
        ordering = ["-issued_at", "-pk"]
        verbose_name = _("一次性验证码")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "subject"],
                condition=Q(closed_at__isnull=True),
                name="one_time_code_one_open_per_person_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("issued_at")), name="one_time_code_expires_after_issue"
            ),
            models.CheckConstraint(
                condition=Q(redeemed_at__isnull=True)
                | Q(redeemed_at__gte=F("issued_at"), redeemed_at__lte=F("expires_at")),
                name="one_time_code_redeemed_in_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.subject}"

    def is_valid_at(self, at: datetime.datetime) -> bool:
        return self.closed_at is None and self.issued_at <= at <= self.expires_at
