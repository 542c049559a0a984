"""The catalogue: courses, their versions, the outline that covers every filed hour (A2, A4, H1, H2)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, User
from courses.states import MaterialKind, MaterialState, Origin, VersionState
from policy.terms import COURSE_TYPES, HourKind

HOUR_KINDS = [(kind.value, _(kind.label)) for kind in HourKind]


class OriginalCourse(models.Model):
    """An offline course that live courses were made from (H2); no class is ever made of it."""

    name = models.CharField(_("线下原课程"), max_length=120, unique=True)
    publisher = models.CharField(_("编写单位"), max_length=120, blank=True)
    description = models.TextField(_("说明"), blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("线下原课程")

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    """A course of a type that editions know (GYB, SYB), or of another.

    Another type has no standard hours, cap or rate until an edition gives them: no class is made of it
    (A4). What is taught is in its versions.
    """

    name = models.CharField(_("课程名称"), max_length=80, unique=True)
    course_type = models.CharField(_("课程类型"), max_length=20)
    origin = models.CharField(_("来源"), max_length=12, choices=Origin.choices)
    converted_from = models.ForeignKey(
        OriginalCourse,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("线下原课程"),
        related_name="conversions",
    )
    # Who may edit it beside the operator; empty for the platform's own.
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, verbose_name=_("机构"), related_name="courses"
    )
    summary = models.TextField(_("简介"), blank=True)
    audience = models.TextField(_("适合谁学"), blank=True)

    class Meta:
        ordering = ["course_type", "name"]
        verbose_name = _("课程")
        constraints = [
            models.CheckConstraint(name="course_origin_known", condition=Q(origin__in=Origin.values)),
            models.CheckConstraint(
                name="course_of_an_institution_names_it",
                condition=Q(origin=Origin.INSTITUTION, institution__isnull=False)
                | ~Q(origin=Origin.INSTITUTION) & Q(institution__isnull=True),
            ),
            models.CheckConstraint(
                name="course_original_of_a_conversion_only",
                condition=Q(converted_from__isnull=True) | Q(origin=Origin.CONVERTED),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def type_name(self) -> str:
        """The type's official name in the reader's language; a type the norm does not know is another one."""
        known = COURSE_TYPES.get(self.course_type)
        return gettext(known) if known else gettext("其他")

    @property
    def is_known_type(self) -> bool:
        """Whether the norm names the type; another is of neither (A4)."""
        return self.course_type in COURSE_TYPES

    @property
    def subject(self) -> str:
        """The course's name in the evidence log; also its chain."""
        return f"course/{self.pk}"


class CourseVersion(models.Model):
    """One edition of a course: its outline and materials. Once published nothing in it changes (a trigger
    holds it), so a filed class keeps what it was filed with.
    """

    course = models.ForeignKey(Course, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(_("版本"))
    state = models.CharField(
        _("状态"), max_length=10, choices=VersionState.choices, default=VersionState.DRAFT
    )
    notes = models.TextField(_("改了什么"), blank=True)
    created_at = models.DateTimeField(_("建立时间"))
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    outline_digest = models.CharField(max_length=64, blank=True)  # SHA-256, written when it is published

    class Meta:
        ordering = ["course_id", "-number"]
        verbose_name = _("课程版本")
        constraints = [
            models.UniqueConstraint(fields=["course", "number"], name="course_version_number_once"),
            models.UniqueConstraint(
                fields=["course"], condition=Q(state=VersionState.DRAFT), name="course_one_draft_at_a_time"
            ),
            models.CheckConstraint(
                name="course_version_state_known", condition=Q(state__in=VersionState.values)
            ),
            models.CheckConstraint(
                name="course_version_published_is_whole",
                condition=Q(state=VersionState.DRAFT, published_at__isnull=True, outline_digest="")
                | ~Q(state=VersionState.DRAFT) & Q(published_at__isnull=False) & ~Q(outline_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course_id} v{self.number}"

    @property
    def subject(self) -> str:
        return f"course/{self.course_id}/version/{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.state == VersionState.DRAFT


class OutlineUnit(models.Model):
    """One line of a version's outline: what is taught, in which kind of hours, for how many 课时."""

    version = models.ForeignKey(CourseVersion, models.CASCADE, related_name="outline")
    position = models.PositiveSmallIntegerField(_("序号"))
    title = models.CharField(_("内容"), max_length=120)
    kind = models.CharField(_("课时类别"), max_length=12, choices=HOUR_KINDS)
    hours = models.DecimalField(_("课时"), max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["version_id", "position"]
        verbose_name = _("大纲")
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="outline_position_once"),
            models.CheckConstraint(name="outline_hours_positive", condition=Q(hours__gt=0)),
            models.CheckConstraint(
                name="outline_kind_known", condition=Q(kind__in=[kind.value for kind in HourKind])
            ),
        ]

    def __str__(self) -> str:
        return self.title


def material_path(material: Material, filename: str) -> str:
    return f"courses/version-{material.version_id}/{filename}"


class Material(models.Model):
    """Slides or a video of a version; frozen with it when it is published."""

    version = models.ForeignKey(CourseVersion, models.CASCADE, related_name="materials")
    position = models.PositiveSmallIntegerField(_("序号"))
    kind = models.CharField(_("种类"), max_length=8, choices=MaterialKind.choices)
    title = models.CharField(_("名称"), max_length=120)
    state = models.CharField(
        _("状态"), max_length=8, choices=MaterialState.choices, default=MaterialState.WAITING
    )
    file = models.FileField(upload_to=material_path, max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    pages = models.PositiveSmallIntegerField(null=True, blank=True)  # of slides
    duration_ms = models.PositiveIntegerField(null=True, blank=True)  # of a video
    captions = models.FileField(upload_to=material_path, max_length=200, blank=True)  # WebVTT
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["version_id", "position"]
        verbose_name = _("课程材料")
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="material_position_once"),
            models.CheckConstraint(name="material_kind_known", condition=Q(kind__in=MaterialKind.values)),
            models.CheckConstraint(name="material_state_known", condition=Q(state__in=MaterialState.values)),
            models.CheckConstraint(
                name="material_has_pages_or_a_duration",
                condition=Q(
                    kind=MaterialKind.SLIDES, pages__isnull=False, pages__gt=0, duration_ms__isnull=True
                )
                | Q(
                    kind=MaterialKind.VIDEO, pages__isnull=True, duration_ms__isnull=False, duration_ms__gt=0
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_video(self) -> bool:
        return self.kind == MaterialKind.VIDEO

    @property
    def seconds(self) -> int | None:
        """How long a video plays, in whole seconds, cut."""
        return None if self.duration_ms is None else self.duration_ms // 1000


def page_path(page: SlidePage, filename: str) -> str:
    return f"courses/slides-{page.material_id}/{filename}"


class SlidePage(models.Model):
    """One page of slides as a picture, made by the worker."""

    material = models.ForeignKey(Material, models.CASCADE, related_name="slide_pages")
    number = models.PositiveSmallIntegerField()
    file = models.FileField(upload_to=page_path, max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    text = models.TextField(blank=True)  # what stands on it, for those who cannot see it

    class Meta:
        ordering = ["material_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["material", "number"], name="slide_page_once"),
            models.CheckConstraint(name="slide_page_has_a_size", condition=Q(width__gt=0, height__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.material_id} p.{self.number}"
