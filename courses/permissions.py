"""Who edits a course, who sees its versions, who reads its materials.

Published versions are public; materials are for those who edit the course and for the people of classes that
were made with the version. Classes are a floor above: they register who those are.
"""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import Institution, User
from accounts.permissions import roles_of
from accounts.states import Role
from courses.models import Course, CourseVersion, Material
from courses.queries import newest_published
from courses.states import MaterialState, VersionState
from policy.messages import gettext_noop
from policy.refusals import Refusal

Viewer = User | AnonymousUser
Reads = Callable[[User, CourseVersion], bool]

_readers: list[Reads] = []


def register_reader(reads: Reads) -> None:
    """Let an upper floor say who else reads the materials of a version."""
    if reads not in _readers:
        _readers.append(reads)


def own_institution(user: Viewer) -> Institution | None:
    """The institution that this account manages, if any."""
    if not isinstance(user, User):
        return None
    return next((m.institution for m in user.active_memberships if m.role == Role.MANAGER), None)


def can_edit(user: Viewer, course: Course) -> bool:
    """Whether the account is the operator, or manages the institution that the course belongs to."""
    if not isinstance(user, User):
        return False
    if user.has_role(Role.OPERATOR):
        return True
    mine = own_institution(user)
    return mine is not None and course.institution_id == mine.pk


def can_propose(user: Viewer) -> bool:
    """Whether the account may enter a course at all."""
    return isinstance(user, User) and user.has_role(Role.OPERATOR, Role.MANAGER)


def visible_to(user: Viewer) -> QuerySet[Course]:
    """Every course that was ever published, and those one edits."""
    public = Q(versions__state__in=[VersionState.PUBLISHED, VersionState.RETIRED])
    if isinstance(user, User) and user.has_role(Role.OPERATOR):
        return Course.objects.all()
    mine = own_institution(user)
    visible = Course.objects.filter(public | Q(institution=mine)) if mine else Course.objects.filter(public)
    return Course.objects.filter(pk__in=visible.values("pk"))


def access_course(user: Viewer, pk: int) -> Course:
    """The course when this person may see it; raises Http404 for everybody else."""
    found = visible_to(user).select_related("converted_from", "institution").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def access_version(user: Viewer, pk: int, number: int) -> CourseVersion:
    """A version of a visible course; a draft only for those who edit it. Raises Http404."""
    course = access_course(user, pk)
    version = course.versions.filter(number=number).first()
    if version is None or (version.is_draft and not can_edit(user, course)):
        raise Http404
    version.course = course
    return version


def can_read_materials(user: Viewer, version: CourseVersion) -> bool:
    """Whether the slides and videos are open to this person."""
    if not isinstance(user, User):
        return False
    if can_edit(user, version.course):
        return True
    return not version.is_draft and any(reads(user, version) for reads in _readers)


def access_material(user: Viewer, pk: int) -> Material:
    """A material whose version this person reads; raises Http404 for everybody else."""
    material = Material.objects.select_related("version__course__institution").filter(pk=pk).first()
    if material is None or not can_read_materials(user, material.version):
        raise Http404
    if material.state != MaterialState.READY and not can_edit(user, material.version.course):
        raise Http404
    return material


def require_edit(user: User, course: Course) -> None:
    """Raise unless the account edits this course: Refusal `not_the_editor` (403), Http404 for a stranger."""
    if can_edit(user, course):
        return
    if not visible_to(user).filter(pk=course.pk).exists():
        raise Http404
    raise Refusal(
        "not_the_editor",
        gettext_noop("这门课由平台运营或它所属的机构来改。"),
        found=roles_of(user),
        required=[Role.OPERATOR, Role.MANAGER],
        rule="H1",
        next_step=gettext_noop("请换用机构管理员或平台运营的账号登录。"),
        status=403,
    )


def require_draft(version: CourseVersion) -> None:
    """Raise Refusal `version_published` unless the version may still change."""
    if version.is_draft:
        return
    raise Refusal(
        "version_published",
        gettext_noop("第 %(number)s 版已经发布，内容不能再改。"),
        found=VersionState(version.state),
        required=VersionState.DRAFT,
        rule="A2",
        params={"number": version.number},
        next_step=gettext_noop("请另起一版，改好再发布。"),
    )


def require_materials(user: Viewer, version: CourseVersion) -> None:
    """Raise Refusal `materials_not_open` (403) unless this person reads the version's slides and videos."""
    if can_read_materials(user, version):
        return
    raise Refusal(
        "materials_not_open",
        gettext_noop("课件和视频只给本课程的培训班和编写者看。"),
        found=roles_of(user),
        required=[Role.OPERATOR, Role.MANAGER, Role.LECTURER, Role.ASSISTANT, Role.TRAINEE],
        rule="P20",
        next_step=gettext_noop("请用报了班的账号登录。"),
        status=403,
    )


def require_open(course: Course, institution: Institution) -> CourseVersion:
    """Return the newest published version of a course that this institution may teach and recruit for: the
    platform's or its own (as `queries.open_to` lists them).

    Raises Refusal `course_not_open`, `course_not_published`.
    """
    if course.institution_id not in (None, institution.pk):
        raise Refusal(
            "course_not_open",
            gettext_noop("这门课程是别的机构自建的，本机构不能用它招生、开班。"),
            found=False,
            required=True,
            rule="H1",
            next_step=gettext_noop("请选平台的课程，或本机构自建的课程。"),
        )
    newest = newest_published(course)
    if newest is None:
        raise Refusal(
            "course_not_published",
            gettext_noop("课程“%(course)s”还没有发布，不能用它招生、开班。"),
            found=0,
            required=1,
            rule="A2",
            params={"course": course.name},
            next_step=gettext_noop("请选一门已发布的课程，或先发布它的大纲。"),
        )
    return newest
