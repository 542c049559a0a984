"""Training institutions and bureaus, as the operator keeps them: who they are, where, designated how long."""

import datetime
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

import audit
from accounts.actions import check_designation, institution_exists, register_institution
from accounts.models import Bureau, Institution, Region, User
from accounts.permissions import region_prefix, require_role
from accounts.states import BUREAU_ROLES, Department, Role
from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class InstitutionDetails:
    """What of an institution may change; its credit code is who it is, and stays."""

    name: str
    region: Region
    designated_from: datetime.date | None
    designated_until: datetime.date | None
    address: str = ""
    contact: str = ""
    contact_phone: str = ""


def institutions(*, search: str = "", region: Region | None = None) -> QuerySet[Institution]:
    """Those whose name or credit code holds `search`, in a region; `managers` counts theirs."""
    found = Institution.objects.select_related("region__parent").annotate(
        managers=Count("memberships", filter=Q(memberships__role=Role.MANAGER))
    )
    if search:
        found = found.filter(Q(name__icontains=search) | Q(credit_code__icontains=search))
    if region:
        found = found.filter(region__code__startswith=region_prefix(region))
    return found.order_by("name")


def bureaus(*, search: str = "") -> QuerySet[Bureau]:
    """Those whose name holds `search`, by region; who holds an office there is counted as `holders`."""
    found = Bureau.objects.select_related("region__parent").annotate(
        holders=Count("memberships", filter=Q(memberships__role__in=BUREAU_ROLES))
    )
    if search:
        found = found.filter(name__icontains=search)
    return found.order_by("region_id", "department", "pk")


def access_institution(user: User, pk: int) -> Institution:
    """An institution, for the operator; raises Refusal `role_required` (403), Http404."""
    require_role(user, Role.OPERATOR)
    found = Institution.objects.select_related("region__parent").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def access_bureau(user: User, pk: int) -> Bureau:
    """A bureau, for the operator; raises Refusal `role_required` (403), Http404."""
    require_role(user, Role.OPERATOR)
    found = Bureau.objects.select_related("region__parent").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def enter_institution(
    *, actor: User, credit_code: str, details: InstitutionDetails, at: datetime.datetime
) -> Institution:
    """Register a designated institution (I1).

    Raises Refusal `role_required` (403), `credit_code_invalid`, `designation_reversed`, `institution_exists`.
    """
    require_role(actor, Role.OPERATOR)
    return register_institution(
        actor=actor,
        name=details.name,
        credit_code=credit_code,
        region=details.region,
        designated_from=details.designated_from,
        designated_until=details.designated_until,
        address=details.address,
        contact=details.contact,
        contact_phone=details.contact_phone,
        at=at,
    )


def change_institution(
    *, institution: Institution, actor: User, details: InstitutionDetails, at: datetime.datetime
) -> Institution:
    """Keep an institution's entry true; what did not change leaves no evidence (I1, Q9).

    Raises Refusal `role_required` (403), `designation_reversed`, `institution_exists`.
    """
    require_role(actor, Role.OPERATOR)
    check_designation(details.designated_from, details.designated_until)
    with transaction.atomic():
        institution = (
            Institution.objects.select_for_update(of=("self",))
            .select_related("region")
            .get(pk=institution.pk)
        )
        wanted = {name: getattr(details, name) for name in InstitutionDetails.__slots__}
        changed = [name for name, value in wanted.items() if getattr(institution, name) != value]
        if not changed:
            return institution
        for name in changed:
            setattr(institution, name, wanted[name])
        try:
            with transaction.atomic():
                institution.save(update_fields=changed)
        except IntegrityError:
            raise institution_exists() from None
        audit.record(
            "institution.changed",
            actor_id=actor.pk,
            subject=f"institution/{institution.pk}",
            facts={
                "changed": changed,
                "name": institution.name,
                "region": institution.region_id,
                "designated_from": institution.designated_from,
                "designated_until": institution.designated_until,
            },
            at=at,
        )
    return institution


def enter_bureau(
    *, actor: User, name: str, department: Department, region: Region, at: datetime.datetime
) -> Bureau:
    """Register an office of a department for a region (Q1).

    Raises Refusal `role_required` (403), `bureau_exists`.
    """
    require_role(actor, Role.OPERATOR)
    try:
        with transaction.atomic():
            return register_bureau(actor=actor, name=name, department=department, region=region, at=at)
    except IntegrityError:
        raise _bureau_exists() from None


def register_bureau(
    *, actor: User | None, name: str, department: Department, region: Region, at: datetime.datetime
) -> Bureau:
    """Enter an office with its evidence; `actor` is None where the platform itself does. IntegrityError where
    there is one.
    """
    with transaction.atomic():
        bureau = Bureau.objects.create(name=name, department=department, region=region)
        _record("bureau.registered", bureau, actor=actor, at=at)
    return bureau


def rename_bureau(*, bureau: Bureau, actor: User, name: str, at: datetime.datetime) -> Bureau:
    """Give a bureau its new name; department and region are what its decisions rest on, and stay.

    Raises Refusal `role_required` (403), `bureau_exists`.
    """
    require_role(actor, Role.OPERATOR)
    with transaction.atomic():
        bureau = Bureau.objects.select_for_update(of=("self",)).select_related("region").get(pk=bureau.pk)
        if bureau.name == name:
            return bureau
        bureau.name = name
        try:
            with transaction.atomic():
                bureau.save(update_fields=["name"])
        except IntegrityError:
            raise _bureau_exists() from None
        _record("bureau.renamed", bureau, actor=actor, at=at)
    return bureau


def _bureau_exists() -> Refusal:
    return Refusal(
        "bureau_exists",
        gettext_noop("这个部门已经登记过。"),
        found=True,
        required=False,
        rule="Q1",
        next_step=gettext_noop("请核对名称；要加人，打开它的页面。"),
    )


def _record(kind: str, bureau: Bureau, *, actor: User | None, at: datetime.datetime) -> None:
    audit.record(
        kind,
        actor_id=actor.pk if actor else None,
        subject=f"bureau/{bureau.pk}",
        facts={"name": bureau.name, "department": Department(bureau.department), "region": bureau.region_id},
        at=at,
    )
