"""What this app leaves in the evidence log. Everything about a course is in the chain `course/<id>`."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from audit.kinds import Digest, Kind, register
from courses.states import MaterialKind, Origin

_COURSE = {
    "name": str,
    "course_type": str,
    "origin": Origin,
    "converted_from": int | None,
    "institution": int | None,
    "texts": Digest,
}

register(
    Kind("course.created", sentence=_("录入课程“{name}”"), schema=_COURSE),
    Kind("course.changed", sentence=_("修改课程“{name}”的说明"), schema=_COURSE),
    Kind(
        "course.version_drafted",
        sentence=_("起草第 {number} 版"),
        schema={"version": int, "number": int, "copied_from": int | None},
    ),
    Kind(
        "course.outline_set",
        sentence=_("第 {number} 版大纲共 {units} 行、{total} 课时"),
        schema={"version": int, "number": int, "units": int, "total": Decimal, "outline": Digest},
    ),
    Kind(
        "course.material_added",
        sentence=_("第 {number} 版加入材料（{kind}）“{title}”"),
        schema={
            "version": int,
            "number": int,
            "material": int,
            "kind": MaterialKind,
            "title": str,
            "size": int,
            "file": Digest,
        },
    ),
    Kind(
        "course.material_processed",
        sentence=_("材料处理完毕，可以用：{ready}"),
        schema={"material": int, "ready": bool, "pages": int | None},
    ),
    Kind(
        "course.material_removed",
        sentence=_("第 {number} 版移出一份材料"),
        schema={"version": int, "number": int, "material": int, "file": Digest},
    ),
    Kind(
        "course.version_published",
        sentence=_("发布第 {number} 版，大纲 {total} 课时"),
        schema={
            "version": int,
            "number": int,
            "total": Decimal,
            "outline": Digest,
            "materials": list[Digest],
        },
    ),
    Kind("course.version_retired", sentence=_("停用第 {number} 版"), schema={"version": int, "number": int}),
)
