"""Where a failing finding is mended: the page for it, for who may open that page."""

from collections.abc import Mapping

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import accounts.registers.permissions as registers
from accounts.models import User
from classes import permissions
from classes.models import TrainingClass
from courses.permissions import visible_to as courses_visible_to

ROSTER_STEP = 2  # of the four steps to a filing, which the pages count off

# Pages of the class itself, for its manager.
PAGES: Mapping[str, tuple[str, Promise]] = {
    "roster_filled": ("classes:roster", _("去导入花名册")),
    "class_size": ("classes:roster", _("去花名册移出学员")),
    "lecturer": ("classes:edit", _("去选讲师")),
    "assistant": ("classes:edit", _("去选助教")),
    "lecturer_free": ("classes:edit", _("换一名讲师")),
    "assistant_free": ("classes:edit", _("换一名助教")),
    "lecturer_in_good_standing": ("classes:edit", _("换一名讲师")),
    "lecturer_in_office": ("classes:edit", _("换一名讲师")),
    "assistant_in_office": ("classes:edit", _("换一名助教")),
    "staff_not_trainees": ("classes:roster", _("去花名册移出学员")),
    "course_version_in_use": ("classes:edit", _("去换课程版本")),
    "working_age": ("classes:roster", _("去花名册移出学员")),
    "trainees_free": ("classes:roster", _("去花名册移出学员")),
}


def remedy(user: User, training_class: TrainingClass, code: str) -> dict[str, str] | None:
    """Return {"url", "label"} of the page on which this person mends the finding; None if there is none."""
    if code == "lecturer_route":
        lecturer = training_class.lecturer_id
        if lecturer is not None and registers.lecturers_visible_to(user).filter(pk=lecturer).exists():
            return {
                "url": reverse("registers:lecturer", args=[lecturer]),
                "label": str(_("看讲师的资格和证明")),
            }
        return _page(user, training_class, "lecturer_in_good_standing")
    if code == "outline_covers_hours":
        version = training_class.course_version
        if version is None or not courses_visible_to(user).filter(pk=version.course_id).exists():
            return None
        return {
            "url": reverse("courses:version", args=[version.course_id, version.number]),
            "label": str(_("看课程大纲")),
        }
    return _page(user, training_class, code)


def _page(user: User, training_class: TrainingClass, code: str) -> dict[str, str] | None:
    page = PAGES.get(code)
    if page is None or not permissions.can_manage(user, training_class):
        return None
    return {"url": reverse(page[0], args=[training_class.pk]), "label": str(page[1])}
