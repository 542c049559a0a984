"""The catalogue: courses and the outline that must cover every filed hour (A2, A4, H1, H2)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.states import Origin
from policy.terms import COURSE_TYPES, HourKind

HOUR_KINDS = [(kind.value, _(kind.label)) for kind in HourKind]


class Course(models.Model):
    """A course of a type that editions know (GYB, SYB), or of another.

    Another type has no standard hours, cap or rate until an edition gives them: no class is made of it
    (A4).
    """

    name = models.CharField(_("课程名称"), max_length=80, unique=True)
    course_type = models.CharField(_("课程类型"), max_length=20)
    origin = models.CharField(_("来源"), max_length=12, choices=Origin.choices)
    original = models.CharField(_("线下原课程"), max_length=120, blank=True)
    summary = models.TextField(_("简介"), blank=True)

    class Meta:
        ordering = ["course_type", "name"]
        verbose_name = _("课程")
        constraints = [
            models.CheckConstraint(name="course_origin_known", condition=Q(origin__in=Origin.values))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def type_name(self) -> str:
        """The type's official name in the reader's language; a type the norm does not know is another one."""
        known = COURSE_TYPES.get(self.course_type)
        return gettext(known) if known else gettext("其他")


class OutlineUnit(models.Model):
    """One line of a course's outline: what is taught, in which kind of hours, for how many 课时."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="outline")
    position = models.PositiveSmallIntegerField(_("序号"))
    title = models.CharField(_("内容"), max_length=120)
    kind = models.CharField(_("课时类别"), max_length=12, choices=HOUR_KINDS)
    hours = models.DecimalField(_("课时"), max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["course_id", "position"]
        verbose_name = _("大纲")
        constraints = [
            models.UniqueConstraint(fields=["course", "position"], name="outline_position_once"),
            models.CheckConstraint(name="outline_hours_positive", condition=Q(hours__gt=0)),
            models.CheckConstraint(
                name="outline_kind_known", condition=Q(kind__in=[kind.value for kind in HourKind])
            ),
        ]

    def __str__(self) -> str:
        return self.title
