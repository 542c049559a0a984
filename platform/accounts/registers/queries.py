"""What the registers say on a day: about a lecturer, an institution, the platform."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.editions import edition as find_edition
from accounts.models import Institution, Membership, Person, User
from accounts.registers.models import Document, Measure, PlatformReport, Qualification
from accounts.registers.permissions import institutions_visible_to, offices_of
from accounts.registers.states import DocumentKind, MeasureKind, QualificationState
from accounts.start import Task
from accounts.states import Role
from policy.citations import citation_of
from policy.classes import (
    PLATFORM_CONDITIONS,
    LecturerRecord,
    MeasureRecord,
    PlatformCondition,
    PlatformField,
    judge_lecturer,
    judge_platform,
    judge_platform_report,
)
from policy.classes import MeasureKind as OrderKind
from policy.editions import Edition
from policy.findings import Finding

# By this edition a page says whether a lecturer may teach; a class is judged by its own.
NORM = "henan-2020-97"


# --- lecturers ---


def measures_against(person_id: int, begin: datetime.date, end: datetime.date) -> Sequence[Measure]:
    """The disqualifications of a person that hold on any day from `begin` to `end`, the earliest first."""
    return list(
        Measure.objects.filter(
            Q(ended_on__isnull=True) | Q(ended_on__gt=begin),
            kind=MeasureKind.DISQUALIFICATION,
            person=person_id,
            since__lte=end,
        ).order_by("since")
    )


def disqualified_on(person_id: int | None, day: datetime.date) -> datetime.date | None:
    """Since when the person is disqualified, if they are on `day` (T3)."""
    found = measures_against(person_id, day, day) if person_id else ()
    return found[0].since if found else None


def lecturer_record(
    person_id: int, on: datetime.date, *, until: datetime.date | None = None
) -> LecturerRecord:
    """What is on file about a lecturer on a day: confirmed qualifications whose papers are valid on it
    (T1, T2), and a disqualification that holds on any day up to `until` (T3).
    """
    papers = Document.objects.filter(
        qualification__person=person_id,
        qualification__state=QualificationState.CONFIRMED,
        retired_at__isnull=True,
    ).select_related("qualification")
    return _record(
        [paper for paper in papers if paper.is_valid_on(on)], measures_against(person_id, on, until or on)
    )


def _record(papers: Iterable[Document], measures: Sequence[Measure]) -> LecturerRecord:
    held: dict[str, list[Document]] = {}
    for paper in papers:
        held.setdefault(paper.kind, []).append(paper)
    since = [
        paper.qualification.training_since
        for paper in held.get(DocumentKind.EXPERIENCE, ())
        if paper.qualification and paper.qualification.training_since
    ]
    return LecturerRecord(
        certificate=DocumentKind.CERTIFICATE in held,
        training_since=min(since, default=None),
        online_skills=DocumentKind.ONLINE_SKILLS in held,
        experimental_class=DocumentKind.EXPERIMENT in held,
        good_effect=DocumentKind.GOOD_EFFECT in held,
        disqualified_from=min((one.since for one in measures), default=None),
    )


def judge_lecturer_between(
    edition: Edition, person_id: int, begin: datetime.date, end: datetime.date
) -> tuple[Finding, ...]:
    """Judge the lecturer of a class: a route on its first day (T1, T2), no disqualification on any of its
    days (T3).
    """
    record = lecturer_record(person_id, begin, until=end)
    route, _first_day = judge_lecturer(edition, record, on=begin)
    _route, standing = judge_lecturer(edition, record, on=end)
    return route, standing


def judge_lecturer_today(person_id: int, today: datetime.date) -> tuple[Finding, ...]:
    """Whether a class that starts today could have this lecturer, by the norm itself."""
    return judge_lecturer(find_edition(NORM), lecturer_record(person_id, today), on=today)


def without_others_figures(
    findings: Iterable[Finding], person_id: int, institutions: Iterable[int]
) -> tuple[Finding, ...]:
    """What was found of a lecturer, for somebody who may see what `institutions` (their keys) entered.

    The judgement is the same for everybody: a confirmed qualification counts wherever its holder teaches.
    Since when they have trained is only told where one of these institutions entered it.
    """
    entered = set(
        Qualification.objects.filter(
            person=person_id, institution__in=list(institutions), state=QualificationState.CONFIRMED
        ).values_list("training_since", flat=True)
    )
    return tuple(
        replace(one, actual=None) if one.code == "lecturer_route" and one.actual not in entered else one
        for one in findings
    )


def has_contract(person_id: int, institution_id: int) -> bool:
    """Whether the contract of an institution with a lecturer is on file (I5)."""
    return Document.objects.filter(
        qualification__person=person_id,
        qualification__institution=institution_id,
        kind=DocumentKind.CONTRACT,
        retired_at__isnull=True,
    ).exists()


@dataclass(frozen=True, slots=True)
class LecturerRow:
    """One line of a list of lecturers, as of a day."""

    person: Person
    institutions: tuple[str, ...]
    qualification: Qualification | None  # the newest one that the reader may see
    measure: Measure | None  # in force, or to come
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return all(finding.passed for finding in self.findings)


def search_lecturers(
    lecturers: QuerySet[Person], *, search: str = "", standing: str = ""
) -> QuerySet[Person]:
    """Lecturers in the order of their names; `standing`: waiting, qualified, missing, disqualified."""
    found = lecturers.order_by("name_pinyin", "pk")
    if search:
        found = found.filter(name__icontains=search)
    own = Qualification.objects.filter(person=OuterRef("pk"))
    struck = Measure.objects.filter(person=OuterRef("pk"), ended_on__isnull=True)
    if standing == "waiting":
        found = found.filter(Exists(own.filter(state=QualificationState.SUBMITTED)))
    elif standing == "qualified":
        found = found.filter(Exists(own.filter(state=QualificationState.CONFIRMED)), ~Exists(struck))
    elif standing == "missing":
        found = found.exclude(Exists(own.filter(state=QualificationState.CONFIRMED)))
    elif standing == "disqualified":
        found = found.filter(Exists(struck))
    return found


def lecturer_rows(
    people: Sequence[Person],
    institutions: QuerySet[Institution],
    *,
    on: datetime.date,
) -> list[LecturerRow]:
    """The lines of one page; four queries however many there are. Only what `institutions` entered shows."""
    keys, using = [person.pk for person in people], institutions.db
    visible = institutions.order_by()
    names: dict[int, list[str]] = {}
    teaching = Membership.objects.using(using).filter(
        role=Role.LECTURER, user__person__in=keys, institution__in=visible
    )
    for person_id, name in teaching.order_by("institution__name").values_list(
        "user__person", "institution__name"
    ):
        names.setdefault(person_id, []).append(name)
    newest: dict[int, Qualification] = {}
    entered = Qualification.objects.using(using).filter(person__in=keys, institution__in=visible)
    for qualification in entered.select_related("institution"):
        newest.setdefault(qualification.person_id, qualification)
    measures: dict[int, list[Measure]] = {}
    for measure in (
        Measure.objects.using(using).filter(person__in=keys, ended_on__isnull=True).order_by("since")
    ):
        measures.setdefault(measure.person_id or 0, []).append(measure)
    papers: dict[int, list[Document]] = {}
    for paper in (
        Document.objects.using(using)
        .filter(
            qualification__person__in=keys,
            qualification__state=QualificationState.CONFIRMED,
            retired_at__isnull=True,
        )
        .select_related("qualification")
    ):
        if paper.qualification and paper.is_valid_on(on):
            papers.setdefault(paper.qualification.person_id, []).append(paper)
    edition = find_edition(NORM)
    rows = []
    for person in people:
        held = measures.get(person.pk, [])
        record = _record(papers.get(person.pk, ()), [one for one in held if one.is_in_force(on)])
        rows.append(
            LecturerRow(
                person,
                tuple(dict.fromkeys(names.get(person.pk, ()))),
                newest.get(person.pk),
                held[0] if held else None,
                judge_lecturer(edition, record, on=on),
            )
        )
    return rows


# --- institutions ---


def orders_against(institution_id: int) -> list[MeasureRecord]:
    """Every order against an institution, and against the platform on which it trains (Q8, Q9)."""
    rows = Measure.objects.filter(
        Q(institution=institution_id) | Q(institution__isnull=True, person__isnull=True)
    )
    return [
        MeasureRecord(OrderKind(row.kind), row.since, row.deadline, row.ended_on)
        for row in rows.order_by("since", "pk")
    ]


def cancelled_on(institution_id: int, day: datetime.date) -> datetime.date | None:
    """Since when the training qualification is cancelled, if it is on `day`: the institution's, or the
    platform's (Q9).
    """
    return min(
        (
            order.since
            for order in orders_against(institution_id)
            if order.kind is OrderKind.CANCELLATION and order.is_open_on(day)
        ),
        default=None,
    )


def search_institutions(institutions: QuerySet[Institution], *, search: str = "") -> QuerySet[Institution]:
    """Institutions in the order of their names."""
    found = institutions.select_related("region").order_by("name")
    return found.filter(Q(name__icontains=search) | Q(credit_code=search.upper())) if search else found


@dataclass(frozen=True, slots=True)
class InstitutionRow:
    """One line of a list of institutions, as of a day."""

    institution: Institution
    is_designated: bool
    documents: int
    measures: tuple[Measure, ...]  # not ended


def institution_rows(
    institutions: Sequence[Institution], *, on: datetime.date, using: str = "default"
) -> list[InstitutionRow]:
    """The lines of one page; two queries however many there are."""
    keys = [institution.pk for institution in institutions]
    measures: dict[int, list[Measure]] = {}
    for measure in (
        Measure.objects.using(using).filter(institution__in=keys, ended_on__isnull=True).order_by("since")
    ):
        measures.setdefault(measure.institution_id or 0, []).append(measure)
    held: dict[int, int] = {}
    papers = Document.objects.using(using).filter(institution__in=keys, retired_at__isnull=True)
    for institution_id in papers.values_list("institution", flat=True):
        held[institution_id] = held.get(institution_id, 0) + 1
    return [
        InstitutionRow(one, one.is_designated_on(on), held.get(one.pk, 0), tuple(measures.get(one.pk, ())))
        for one in institutions
    ]


def announced() -> QuerySet[Measure]:
    """Disqualifications announced across the province that were not lifted, the newest first (L7)."""
    return (
        Measure.objects.filter(is_announced=True, ended_on__isnull=True)
        .select_related("person", "bureau")
        .order_by("-since", "-pk")
    )


# --- the platform ---


@dataclass(frozen=True, slots=True)
class PlatformFunction:
    """What the platform does for a condition: in words, and how often so far (`unit` has a place for n)."""

    said: Promise | str
    unit: Promise | str
    count: Callable[[], int]

    @property
    def counted(self) -> str:
        """How often so far; asks the database."""
        return str(self.unit) % {"n": f"{self.count():,}"}


# Rows that a floor above fulfils by what it does.
_functions: dict[str, PlatformFunction] = {}


def register_function(functions: Mapping[str, PlatformFunction]) -> None:
    """Say which conditions this platform fulfils by what it does, in `AppConfig.ready()`; idempotent."""
    _functions.update(functions)


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One ledger row of a condition with its evidence."""

    row: str
    function: PlatformFunction | None
    documents: tuple[Document, ...]

    @property
    def citation(self) -> str:
        return citation_of(self.row)

    @property
    def document_count(self) -> int:
        return len(self.documents)

    @property
    def met(self) -> bool:
        return self.function is not None or bool(self.documents)


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One of the nine conditions, its rows, and what the norm finds."""

    condition: PlatformCondition
    finding: Finding
    rows: tuple[ConditionRow, ...]


def judge_this_platform(on: datetime.date) -> tuple[Finding, ...]:
    """Judge this platform on a day (P0-P5): a row is met by a function, or by a document valid on it."""
    papers = Document.objects.filter(kind=DocumentKind.CONDITION, retired_at__isnull=True)
    met = {paper.condition for paper in papers if paper.is_valid_on(on)} | _functions.keys()
    return judge_platform(dict.fromkeys(met, True))


def platform_conditions(on: datetime.date) -> tuple[Finding, list[ConditionView]]:
    """The finding on all nine conditions, and each of them with its evidence."""
    whole, *each = judge_this_platform(on)
    papers: dict[str, list[Document]] = {}
    for paper in Document.objects.filter(kind=DocumentKind.CONDITION, retired_at__isnull=True):
        if paper.is_valid_on(on):
            papers.setdefault(paper.condition, []).append(paper)
    return whole, [
        ConditionView(
            condition,
            finding,
            tuple(
                ConditionRow(
                    row,
                    _functions.get(row),
                    tuple(papers.get(row, ())),
                )
                for row in condition.rows
            ),
        )
        for condition, finding in zip(PLATFORM_CONDITIONS, each, strict=True)
    ]


def current_report() -> PlatformReport | None:
    return PlatformReport.objects.select_related("saved_by").first()


def report_finding(report: PlatformReport | None) -> Finding:
    """Whether the five facts of N2 are on record."""
    return judge_platform_report(
        {field: getattr(report, field.value) for field in PlatformField} if report else {}
    )


# --- the start page ---


def next_steps_for(user: User, now: datetime.datetime) -> Iterator[Task]:
    """Qualifications that wait for the office, or were returned to the institution."""
    manages = user.has_role(Role.MANAGER)
    if not manages and not offices_of(user):
        return
    state = QualificationState.RETURNED if manages else QualificationState.SUBMITTED
    waiting = Qualification.objects.filter(
        state=state, institution__in=institutions_visible_to(user).order_by()
    ).select_related("person")
    found = list(waiting.order_by("submitted_at")[:2])
    if not found:
        return
    first, *more = found
    yield Task(
        title=(_("补正 %(name)s 的讲师资格") if manages else _("确认 %(name)s 的讲师资格"))
        % {"name": first.person.name},
        detail=_("还有别的讲师资格在等。") if more else "",
        url=reverse("registers:qualification", args=[first.pk]),
        icon="certificate",
        action=_("去补正") if manages else _("去确认"),
    )
