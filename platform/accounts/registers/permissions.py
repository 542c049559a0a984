"""Who may see, enter and decide what in the registers; to everybody else it does not exist (Http404).

An institution sees its own, an office what lies in its region, the operator everything. `require_*` is for
actions: who sees the thing but may not do this hears why (Refusal, 403).
"""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import Bureau, Institution, Person, User
from accounts.permissions import covers, region_prefix, require_role, roles_of
from accounts.registers.models import Document, Measure, Qualification
from accounts.states import Department, RegionLevel, Role
from policy.messages import gettext_noop
from policy.refusals import Refusal


def offices_of(user: User | AnonymousUser) -> list[Bureau]:
    """The human-resources bureaus for which an officer acts."""
    if not isinstance(user, User):
        return []
    return [
        held.bureau
        for held in user.active_memberships
        if held.role == Role.OFFICER and held.bureau and held.bureau.department == Department.HRSS
    ]


def institutions_visible_to(user: User | AnonymousUser) -> QuerySet[Institution]:
    """The institutions whose registers this account may read."""
    if not isinstance(user, User):
        return Institution.objects.none()
    if user.has_role(Role.OPERATOR):
        return Institution.objects.all()
    visible = Q(pk__in=[held.institution_id for held in user.active_memberships if held.role == Role.MANAGER])
    for office in offices_of(user):
        visible |= Q(region__code__startswith=region_prefix(office.region))
    return Institution.objects.filter(visible)


def lecturers_of(institutions: QuerySet[Institution]) -> QuerySet[Person]:
    """Everybody who teaches there, or has a qualification entered there."""
    ids = institutions.order_by().values("pk")
    return (
        Person.objects.using(institutions.db)
        .filter(
            Q(user__memberships__role=Role.LECTURER, user__memberships__institution__in=ids)
            | Q(qualifications__institution__in=ids)
        )
        .distinct()
    )


def lecturers_visible_to(user: User | AnonymousUser) -> QuerySet[Person]:
    """The lecturers of the institutions one may see; a lecturer sees themself."""
    if not isinstance(user, User):
        return Person.objects.none()
    if sees_registers(user):
        return lecturers_of(institutions_visible_to(user))
    if user.person_id is None or not user.has_role(Role.LECTURER):
        return Person.objects.none()
    return Person.objects.filter(pk=user.person_id)


def measures_visible_to(user: User | AnonymousUser) -> QuerySet[Measure]:
    """Measures against one's own institution and lecturers, in one's region, or ordered by one's office."""
    if not isinstance(user, User):
        return Measure.objects.none()
    found = Q(institution__in=institutions_visible_to(user).order_by().values("pk"))
    found |= Q(person__in=lecturers_visible_to(user).order_by().values("pk"))
    found |= Q(bureau__in=offices_of(user))
    if user.has_role(Role.OPERATOR):
        found |= Q(person__isnull=True, institution__isnull=True)
    return Measure.objects.filter(found)


def sees_registers(user: User | AnonymousUser) -> bool:
    """Whether the account has anything to look up: a manager, an officer, the operator."""
    return isinstance(user, User) and (user.has_role(Role.MANAGER, Role.OPERATOR) or bool(offices_of(user)))


def require_register(user: User | AnonymousUser) -> User:
    """Return the account; raises Http404 for who has no business in the registers."""
    if isinstance(user, User) and sees_registers(user):
        return user
    raise Http404


def access_lecturer(user: User | AnonymousUser, pk: int) -> Person:
    found = lecturers_visible_to(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def access_institution(user: User | AnonymousUser, pk: int) -> Institution:
    found = institutions_visible_to(user).select_related("region").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def access_qualification(user: User | AnonymousUser, pk: int) -> Qualification:
    """One of an institution that one may see, or one's own."""
    found = (
        Qualification.objects.select_related(
            "person", "institution__region", "entered_by__person", "decided_by__person"
        )
        .filter(pk=pk)
        .first()
    )
    if found is None or not isinstance(user, User):
        raise Http404
    own = user.person_id is not None and user.person_id == found.person_id
    if not own and not institutions_visible_to(user).filter(pk=found.institution_id).exists():
        raise Http404
    return found


def access_measure(user: User | AnonymousUser, pk: int) -> Measure:
    found = (
        measures_visible_to(user)
        .select_related(
            "person", "institution__region", "bureau__region", "ordered_by__person", "ended_by__person"
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def access_document(user: User | AnonymousUser, pk: int) -> Document:
    """A document with its picture: of what one may see; a platform's are for offices and the operator."""
    found = (
        Document.objects.select_related("qualification__institution__region", "institution__region")
        .filter(pk=pk)
        .first()
    )
    if found is None or not isinstance(user, User):
        raise Http404
    if found.qualification_id is not None:
        access_qualification(user, found.qualification_id)
    elif found.institution_id is not None:
        access_institution(user, found.institution_id)
    elif not (user.has_role(Role.OPERATOR) or offices_of(user)):
        raise Http404
    return found


def manages(user: User | AnonymousUser, institution_id: int) -> bool:
    return isinstance(user, User) and any(
        held.role == Role.MANAGER and held.institution_id == institution_id
        for held in user.active_memberships
    )


def office_over_institution(user: User | AnonymousUser, institution: Institution) -> Bureau | None:
    """The office of this account that is responsible for the institution, if any."""
    return next((one for one in offices_of(user) if covers(one.region, institution.region)), None)


def office_over_lecturer(user: User | AnonymousUser, person: Person) -> Bureau | None:
    """The office of this account in whose region the person teaches, if any."""
    offices = offices_of(user)
    if not offices:
        return None
    regions = [
        institution.region
        for institution in Institution.objects.filter(
            Q(memberships__role=Role.LECTURER, memberships__user__person=person)
            | Q(qualifications__person=person)
        )
        .select_related("region")
        .distinct()
    ]
    return next((one for one in offices if any(covers(one.region, region) for region in regions)), None)


def office_over_platform(user: User | AnonymousUser) -> Bureau | None:
    """The provincial office of this account: the platform serves the whole province."""
    return next((one for one in offices_of(user) if one.region.level == RegionLevel.PROVINCE), None)


def office_over(user: User | AnonymousUser, measure: Measure) -> Bureau | None:
    """The office of this account that may end a measure: the one that ordered it, or one responsible."""
    own = next((one for one in offices_of(user) if one.pk == measure.bureau_id), None)
    if own is not None:
        return own
    if measure.person is not None:
        return office_over_lecturer(user, measure.person)
    if measure.institution is not None:
        return office_over_institution(user, measure.institution)
    return office_over_platform(user)


def require_manages(user: User, institution_id: int) -> None:
    """Raise Refusal `not_the_manager` (403) unless the account manages this institution."""
    if manages(user, institution_id):
        return
    if not institutions_visible_to(user).filter(pk=institution_id).exists():
        raise Http404
    raise Refusal(
        "not_the_manager",
        gettext_noop("这一步要由本机构的管理员来做。"),
        found=roles_of(user),
        required=Role.MANAGER,
        rule="T1",
        next_step=gettext_noop("请换用机构管理员的账号登录。"),
        status=403,
    )


def require_office(office: Bureau | None, *, rule: str) -> Bureau:
    """Return the office, or raise Refusal `not_the_office` (403)."""
    if office is not None:
        return office
    raise Refusal(
        "not_the_office",
        gettext_noop("这一步要由当地人力资源和社会保障部门的经办人员来做。"),
        found=False,
        required=Role.OFFICER,
        rule=rule,
        next_step=gettext_noop("请联系机构所在地的人力资源和社会保障部门。"),
        status=403,
    )


def require_keeper(user: User, document: Document) -> None:
    """Raise unless the account may add and retire documents of this kind: Refusal `not_the_manager`,
    `not_the_office`, `role_required` (403).
    """
    if document.qualification is not None:
        require_manages(user, document.qualification.institution_id)
    elif document.institution is None:
        require_role(user, Role.OPERATOR)
    elif not user.has_role(Role.OPERATOR):
        require_office(office_over_institution(user, document.institution), rule="I1")
