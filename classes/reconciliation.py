"""A class against the log: what it is, who is on its roster, what was filed, and which lessons were held.

What stands here of classes, trainees and lessons is also what the apps above compare their rows within.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from cryptography.exceptions import InvalidTag
from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_lazy as _

from accounts import vault
from accounts.models import Person
from audit import reconciliation
from audit.models import Entry
from audit.reconciliation import Compared, Difference, Field
from classes.actions.filing import snapshot_digest
from classes.actions.roster import commitment_of
from classes.actions.timetable import timetable_digest
from classes.models import CATEGORIES, HOUR_KINDS, MODES, Enrolment, Filing, Lesson
from classes.states import EnrolmentState, FilingState, LessonState
from classes.timetables import drafts_of
from policy.words import whole_number

ROSTER = ("roster.imported", "roster.trainee_added", "roster.trainee_removed")

# The classes asked about with their trainees and lessons, and the entries of the kinds asked for, each with
# the trainee it is about. `told` is what is left of an entry once the row it tells of is known.
_SCOPE = """
WITH class AS MATERIALIZED (
    SELECT c.*, 'class/' || c.id AS chain FROM classes_trainingclass c
     WHERE %(training_classes)s::bigint[] IS NULL OR c.id = ANY(%(training_classes)s)
), lesson AS MATERIALIZED (
    SELECT l.*, c.chain, c.chain || '/lesson/' || l.id AS subject
      FROM classes_lesson l JOIN class c ON c.id = l.training_class_id
), trainee AS MATERIALIZED (
    -- named, because the supervision login reads no sealed column
    SELECT e.id, e.training_class_id, e.person_id, e.category, e.state,
           c.chain, c.chain || '/trainee/' || e.id AS subject
      FROM classes_enrolment e JOIN class c ON c.id = e.training_class_id
), entry AS MATERIALIZED (
    SELECT e.chain, e.seq, e.hash, e.kind, e.subject, e.facts, e.at, e.actor_id AS actor,
           coalesce(self.id, person.id) AS enrolment,
           substring(e.subject FROM '/lesson/([0-9]+)')::bigint AS lesson,
           substring(e.subject FROM '/person/([0-9]+)')::bigint AS person
      FROM audit_entry e
      LEFT JOIN trainee self ON self.subject = e.subject
      LEFT JOIN trainee person
             ON person.chain = e.chain
            AND person.person_id = substring(e.subject FROM '/person/([0-9]+)')::bigint
     WHERE (%(chains)s::text[] IS NULL OR e.chain = ANY(%(chains)s)) AND e.kind = ANY(%(kinds)s)
)
"""

FIELDS: Mapping[str, Field] = {
    "institution": Field(_("机构编号")),
    "course": Field(_("课程编号")),
    "course_version": Field(_("课程版本")),
    "mode": Field(_("培训模式"), dict(MODES)),
    "edition": Field(_("政策版本")),
    "starts_on": Field(_("开班日期")),
    "ends_on": Field(_("结班日期")),
    "lecturer": Field(_("讲师编号")),
    "assistant": Field(_("助教编号")),
    "finished_at": Field(_("结班时间")),
    "trainees": Field(_("在册人数")),
    "category": Field(_("类别"), dict(CATEGORIES)),
    "kind": Field(_("课时类别"), dict(HOUR_KINDS)),
    "hours": Field(_("课时")),
    "title": Field(_("内容")),
    "starts_at": Field(_("开始")),
    "ends_at": Field(_("结束")),
    "opened_at": Field(_("开课时间")),
    "closed_at": Field(_("下课时间")),
    "number": Field(_("编号")),
    "accepted": Field(_("认可的例外")),
    "submitted_at": Field(_("提交时间")),
    "submitted_by": Field(_("提交人的账号编号")),
    "decided_at": Field(_("决定时间")),
    "decided_by": Field(_("决定人的账号编号")),
    "decided_on": Field(_("省系统办理日期")),
    "reason": Field(_("理由的摘要")),
    "change_reason": Field(_("变更理由的摘要")),
    "masked": Field(_("遮挡后的身份证号")),
    "found_by": Field(_("按身份证号查找用的索引")),
    "identity": Field(_("姓名、身份证号和类别")),
    "digest": Field(_("摘要")),
    "findings": Field(_("检查结果的摘要")),
}
_STATES = {"filing": dict(FilingState.choices), "lesson": dict(LessonState.choices)}

_CLASS = Compared(
    _("培训班"),
    "classes_trainingclass",
    """
    SELECT chain, '', id, NULL::bigint, jsonb_build_object(
        'course', course_id, 'course_version', course_version_id, 'mode', mode, 'edition', edition,
        'starts_on', starts_on, 'ends_on', ends_on, 'lecturer', lecturer_id, 'assistant', assistant_id)
      FROM class
    """,
    """
    SELECT DISTINCT ON (chain) chain, '', NULL::bigint, facts
      FROM entry WHERE kind IN ('class.created', 'class.changed') ORDER BY chain, seq DESC
    """,
)
_FINISHED = Compared(
    _("结班"),
    "classes_trainingclass",
    """
    SELECT chain, '', id, NULL::bigint, jsonb_build_object('finished_at', finished_at)
      FROM class WHERE state = 'finished'
    """,
    """
    SELECT chain, '', NULL::bigint, jsonb_build_object('finished_at', at)
      FROM entry WHERE kind = 'class.finished'
    """,
)
# The reason is kept since the row has a place for it.
_CANCELLED = Compared(
    _("取消开班"),
    "classes_trainingclass",
    """
    SELECT chain, '', id, NULL::bigint, jsonb_build_object('reason', CASE WHEN cancel_reason <> ''
            THEN encode(sha256(convert_to(cancel_reason, 'UTF8')), 'hex') END)
      FROM class WHERE state = 'cancelled'
    """,
    """
    SELECT e.chain, '', NULL::bigint, jsonb_build_object('reason', CASE WHEN c.cancel_reason <> ''
            THEN e.facts->>'reason' END)
      FROM entry e JOIN class c ON c.chain = e.chain WHERE e.kind = 'class.cancelled'
    """,
)
_FILING = Compared(
    _("开班备案"),
    "classes_filing",
    """
    SELECT c.chain, f.id::text, f.id, NULL::bigint, jsonb_build_object(
        'filing', f.state, 'number', f.number, 'accepted', f.accepted,
        'submitted_at', f.submitted_at, 'submitted_by', f.submitted_by_id,
        'decided_at', f.decided_at, 'decided_by', f.decided_by_id, 'decided_on', f.decided_on,
        'reason', CASE WHEN f.decided_at IS NOT NULL
            THEN encode(sha256(convert_to(f.reason, 'UTF8')), 'hex') END,
        'change_reason', CASE WHEN f.change_reason <> ''
            THEN encode(sha256(convert_to(f.change_reason, 'UTF8')), 'hex') END)
      FROM classes_filing f JOIN class c ON c.id = f.training_class_id
    """,
    """
    SELECT DISTINCT ON (chain, facts->>'filing') chain, facts->>'filing', NULL::bigint, jsonb_build_object(
        'filing', split_part(kind, '.', 2),
        'number', coalesce(max(facts->>'number') OVER filing, ''),
        'accepted', coalesce(max(facts->>'exceptions') FILTER (WHERE kind = 'filing.approved')
            OVER filing, '[]')::jsonb,
        'submitted_at', min(at) FILTER (WHERE kind = 'filing.submitted') OVER filing,
        'submitted_by', min(actor) FILTER (WHERE kind = 'filing.submitted') OVER filing,
        'decided_at', min(at) FILTER (WHERE kind IN ('filing.approved', 'filing.returned')) OVER filing,
        'decided_by', min(actor) FILTER (WHERE kind IN ('filing.approved', 'filing.returned')) OVER filing,
        'decided_on', min(facts->>'decided_on') OVER filing,
        'reason', min(facts->>'reason')
            FILTER (WHERE kind IN ('filing.approved', 'filing.returned')) OVER filing,
        'change_reason', min(facts->>'reason') FILTER (WHERE kind = 'filing.superseded') OVER filing)
      FROM entry
     WHERE kind IN (
        'filing.submitted', 'filing.approved', 'filing.returned', 'filing.withdrawn', 'filing.superseded')
    WINDOW filing AS (PARTITION BY chain, facts->>'filing')
     ORDER BY chain, facts->>'filing', seq DESC
    """,
)
# What was filed is held against the digest in the log first (`_filings`), then rows against what was filed.
_FILED_CLASS = Compared(
    _("备案的培训班"),
    "classes_trainingclass",
    """
    SELECT c.chain, '', c.id, NULL::bigint, jsonb_build_object(
        'institution', c.institution_id, 'course', c.course_id, 'mode', c.mode, 'edition', c.edition)
      FROM class c
      JOIN classes_filing f ON f.training_class_id = c.id AND f.state IN ('submitted', 'approved')
    """,
    """
    SELECT c.chain, '', NULL::bigint, jsonb_build_object(
        'institution', f.snapshot->'institution'->'id', 'course', f.snapshot->'course'->'id',
        'mode', f.snapshot->'class'->'mode', 'edition', f.snapshot->'class'->'edition')
      FROM classes_filing f JOIN class c ON c.id = f.training_class_id
     WHERE f.state IN ('submitted', 'approved')
    """,
)
_FILED_ROSTER = Compared(
    _("备案的花名册"),
    "classes_enrolment",
    """
    SELECT t.chain, t.id::text, t.id, t.id, jsonb_build_object('category', t.category)
      FROM trainee t
      JOIN classes_filing f USING (training_class_id)
     WHERE f.state IN ('submitted', 'approved') AND t.state = 'active'
    """,
    """
    SELECT c.chain, row->>'enrolment', t.id, jsonb_build_object('category', row->'category')
      FROM classes_filing f JOIN class c ON c.id = f.training_class_id
     CROSS JOIN jsonb_array_elements(f.snapshot->'roster') AS row
      LEFT JOIN trainee t ON t.id = (row->>'enrolment')::bigint
     WHERE f.state IN ('submitted', 'approved')
    """,
)
_FILED_TIMETABLE = Compared(
    _("备案的课次"),
    "classes_lesson",
    """
    SELECT l.chain, l.id::text, l.id, NULL::bigint, jsonb_build_object('starts_at', l.starts_at,
        'ends_at', l.ends_at, 'kind', l.kind, 'hours', l.hours::text, 'title', l.title)
      FROM lesson l
      JOIN classes_filing f USING (training_class_id)
     WHERE f.state IN ('submitted', 'approved')
    """,
    """
    SELECT c.chain, row->>'lesson', NULL::bigint, jsonb_build_object(
        'starts_at', (row->>'starts_at')::timestamptz, 'ends_at', (row->>'ends_at')::timestamptz,
        'kind', row->'kind', 'hours', row->'hours', 'title', row->'title')
      FROM classes_filing f JOIN class c ON c.id = f.training_class_id
     CROSS JOIN jsonb_array_elements(f.snapshot->'timetable') AS row
     WHERE f.state IN ('submitted', 'approved')
    """,
)
_HELD = Compared(
    _("开课和下课"),
    "classes_lesson",
    """
    SELECT chain, id::text, id, NULL::bigint, jsonb_build_object('lesson', state, 'opened_at', opened_at,
        'closed_at', closed_at, 'kind', kind, 'hours', hours::text)
      FROM lesson WHERE state <> 'planned'
    """,
    """
    SELECT o.chain, o.lesson::text, NULL::bigint, jsonb_build_object(
        'lesson', CASE WHEN c.seq IS NULL THEN 'open' ELSE 'closed' END, 'opened_at', o.at,
        'closed_at', CASE WHEN c.seq IS NOT NULL THEN greatest(c.at, o.at) END, 'kind', o.facts->'kind',
        'hours', (o.facts->>'hours')::numeric(5, 2)::text)
      FROM entry o
      LEFT JOIN entry c ON c.kind = 'lesson.closed' AND c.chain = o.chain AND c.subject = o.subject
     WHERE o.kind = 'lesson.opened'
    """,
)
# Who was put on the roster and who left it, one entry after the other, is the number on it now.
_ROSTER_SIZE = Compared(
    _("花名册"),
    "classes_enrolment",
    """
    SELECT chain, '', '', NULL::bigint, jsonb_build_object('trainees', count(*))
      FROM trainee WHERE state = 'active' GROUP BY chain
    """,
    """
    SELECT chain, '', NULL::bigint, jsonb_build_object('trainees', trainees) FROM (
        SELECT DISTINCT ON (chain) chain, facts->'trainees' AS trainees
          FROM entry WHERE kind IN ('roster.imported', 'roster.trainee_added', 'roster.trainee_removed')
         ORDER BY chain, seq DESC
    ) AS last WHERE trainees <> '0'
    """,
)
COMPARED = (
    _CLASS,
    _FINISHED,
    _CANCELLED,
    _FILING,
    _FILED_CLASS,
    _FILED_ROSTER,
    _FILED_TIMETABLE,
    _HELD,
    _ROSTER_SIZE,
)
KINDS = (
    "class.created",
    "class.changed",
    "class.finished",
    "class.cancelled",
    "filing.submitted",
    "filing.approved",
    "filing.returned",
    "filing.withdrawn",
    "filing.superseded",
    "lesson.opened",
    "lesson.closed",
    *ROSTER,
)
_FIELDS = {
    **FIELDS,
    "filing": Field(_("状态"), _STATES["filing"]),
    "lesson": Field(_("状态"), _STATES["lesson"]),
}
_TRAINEE = Compared(_("学员"), "classes_enrolment", "", "")
_SNAPSHOT = Compared(_("备案时提交的内容"), "classes_filing", "", "")
_TIMETABLE = Compared(_("课表"), "classes_trainingclass", "", "")


def compare(
    compared: Sequence[Compared],
    kinds: Sequence[str],
    fields: Mapping[str, Field],
    chain: str | Collection[str] | None,
    using: str,
) -> list[Difference]:
    """Compare rows of one class, of several or of all with the entries of these kinds. One query.

    The queries of `compared` may use class, lesson, trainee and entry, as `_SCOPE` gives them.
    """
    chains = chains_of(chain)
    return reconciliation.compare_by_query(
        _SCOPE,
        compared,
        fields,
        params={
            "chains": chains,
            "training_classes": None if chains is None else [class_of(one) for one in chains],
            "kinds": list(kinds),
        },
        using=using,
    )


def chains_of(chain: str | Collection[str] | None) -> list[str] | None:
    """The chains asked about, None for all."""
    if chain is None:
        return None
    return [chain] if isinstance(chain, str) else list(chain)


def class_of(chain: str) -> int:
    """The class of `class/12`; 0 for other chains, which no class has."""
    area, _slash, number = chain.partition("/")
    return (whole_number(number) or 0) if area == "class" else 0


def class_differences(chain: str | None, using: str) -> list[Difference]:
    """Rows of classes, rosters, filings and timetables that the log does not bear out. Five queries."""
    entries = Entry.objects.using(using).filter(kind__in=("filing.submitted", "timetable.set", *ROSTER))
    if chain is not None:
        entries = entries.filter(chain=chain)
    told = list(entries.order_by("chain", "seq"))
    return [
        *compare(COMPARED, KINDS, _FIELDS, chain, using),
        *_filings(told, chain, using),
        *_timetables(told, chain, using),
        *_trainees(told, chain),
    ]


def _filings(told: Sequence[Entry], chain: str | None, using: str) -> list[Difference]:
    """Filings whose snapshot, or what was found on it, is not what was submitted."""
    filings = Filing.objects.using(using).order_by("pk")
    if chain is not None:
        filings = filings.filter(training_class=class_of(chain))
    said = {entry.subject: entry.facts for entry in told if entry.kind == "filing.submitted"}
    found = []
    for filing in filings:
        if filing.subject not in said:
            continue
        facts = said[filing.subject]
        says = {"digest": snapshot_digest(filing.snapshot), "findings": snapshot_digest(filing.findings)}
        # Entries from before findings were kept say nothing of them.
        recorded = {"digest": facts["snapshot"], "findings": facts.get("findings") or says["findings"]}
        if says != recorded:
            found.append(
                reconciliation.difference(
                    _SNAPSHOT,
                    chain=f"class/{filing.training_class_id}",
                    key=str(filing.pk),
                    says=says,
                    recorded=recorded,
                    fields=_FIELDS,
                    enrolment=None,
                )
            )
    return found


def _timetables(told: Sequence[Entry], chain: str | None, using: str) -> list[Difference]:
    """Timetables, filed or not, that are not the one last set; lessons that were filed are named singly."""
    lessons = Lesson.objects.using(using).order_by("training_class_id", "starts_at", "pk")
    if chain is not None:
        lessons = lessons.filter(training_class=class_of(chain))
    now = {
        f"class/{pk}": timetable_digest(drafts_of(group))
        for pk, group in groupby(lessons, key=lambda lesson: lesson.training_class_id)
    }
    said = {entry.chain: entry.facts["timetable"] for entry in told if entry.kind == "timetable.set"}
    empty = timetable_digest([])
    return [
        reconciliation.difference(
            _TIMETABLE,
            chain=name,
            key=name.partition("/")[2],
            says={"digest": now.get(name, empty)},
            recorded={"digest": said[name]} if name in said else None,
            fields=_FIELDS,
            enrolment=None,
        )
        for name in sorted({*now, *said})
        if now.get(name, empty) != said.get(name, empty)
    ]


def _trainees(told: Sequence[Entry], chain: str | None) -> list[Difference]:
    """Trainees whose name, ID number, category or place on the roster is not what is on record.

    The masked number and the index by which a person is found are those of the number on record.

    Read over the application's own connection: the regulator's login reads no sealed column.
    """
    enrolments = Enrolment.objects.using(DEFAULT_DB_ALIAS)
    if chain is not None:
        enrolments = enrolments.filter(training_class=class_of(chain))
    joined: dict[str, dict[str, int]] = defaultdict(dict)  # where each commitment was last written
    left: dict[tuple[str, int], int] = {}
    for entry in told:
        if entry.kind == "roster.trainee_removed":
            left[entry.chain, entry.facts["trainee"]] = entry.seq
        for commitment in (*entry.facts.get("commitments", ()), entry.facts.get("commitment")):
            if commitment:
                joined[entry.chain][commitment] = entry.seq
    found = []
    for enrolment in enrolments.select_related("person").order_by("training_class_id", "pk"):
        name = f"class/{enrolment.training_class_id}"
        since = joined[name].get(_commitment(enrolment) or "")
        has_left = since is not None and left.get((name, enrolment.pk), 0) > since
        state = EnrolmentState.LEFT if has_left else EnrolmentState.ACTIVE
        says: dict[str, object]
        recorded: dict[str, object]
        if since is None:
            says, recorded = {"identity": _("现在登记的")}, {"identity": _("编入时登记的")}
        elif enrolment.state != state:
            says, recorded = {"enrolment": enrolment.state}, {"enrolment": state}
        elif not enrolment.person.is_masked_as_sealed:
            says = {"masked": enrolment.person.id_number_masked, "found_by": _("现在登记的")}
            recorded = {"masked": enrolment.person.masked_from_seal, "found_by": _("由身份证号得出的")}
        else:
            continue
        found.append(
            reconciliation.difference(
                _TRAINEE,
                chain=name,
                key=str(enrolment.pk),
                says=says,
                recorded=recorded,
                fields={**_FIELDS, "enrolment": Field(_("状态"), dict(EnrolmentState.choices))},
                enrolment=enrolment.pk,
            )
        )
    return found


def _commitment(enrolment: Enrolment) -> str | None:
    """The commitment to what the row says now; None where its seals do not open."""
    person: Person = enrolment.person
    try:
        salt = vault.unseal(bytes(enrolment.commitment_salt_sealed), context=Enrolment.SALT_CONTEXT)
        return commitment_of(person.open_id_number(), person.name, enrolment.category, salt=salt)
    except (InvalidTag, ValueError):
        return None
