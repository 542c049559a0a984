"""Importing a roster, all of it or nothing, and taking a trainee off it again."""

import datetime
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

import audit
from accounts import vault
from accounts.actions import ensure_trainee_account, find_or_create_person
from accounts.editions import edition as find_edition
from accounts.id_numbers import require_born
from accounts.models import Person, User, id_number_index
from accounts.states import Role
from audit.models import Entry
from classes import permissions
from classes.actions.classes import lock_class
from classes.actions.moves import move
from classes.models import Enrolment, TrainingClass
from classes.rosters import ID_NUMBER, NAME, RosterFault, RosterRow, RosterSheet, read_roster
from classes.states import EnrolmentState
from policy.classes import judge_class_size
from policy.messages import Message, gettext_noop
from policy.refusals import Refusal

# Files a day in which a name does not fit its number, over all classes of an institution (decision 19).
MOST_NAME_FAULTS = 10


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What an import did, or would do: `accepted` rows are sound; with any fault none of them is imported."""

    sheet: str
    read: int
    accepted: int
    rejected: tuple[RosterFault, ...]
    sha256: str
    imported: bool
    rows: tuple[RosterRow, ...] = ()

    @property
    def wrong_rows(self) -> int:
        """How many rows have to be changed; none where the sheet was not read row by row."""
        return len({fault.row for fault in self.rejected if fault.row}) if self.read else 0


def import_roster(
    *,
    training_class: TrainingClass,
    content: bytes,
    actor: User,
    at: datetime.datetime,
    dry_run: bool = False,
) -> RosterImport:
    """Put everybody in an .xlsx file on the roster of a draft or returned class (P7, P8, S6, I4).

    All or nothing: with any fault nobody is imported. `dry_run` only says what would happen. People are found
    again by their ID number; a known person's stored name is never told, only that the given one differs.
    That answer is on record, dry run or not, and an institution gets it for ten files a day; a file that is
    too large for the class is refused before anybody is looked for (decision 19).

    Raises Refusal `roster_rejected` (409) with `rejected` and `accepted` in its details;
    `name_checks_used_up` (429); the file's own refusals (400 or 413, see `rosters.read_roster`);
    `class_not_editable`; `not_the_manager` (403).
    """
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        permissions.require_manage(actor, training_class)
        permissions.require_editable(training_class)
        sheet = read_roster(content)
        enrolled = {enrolment.person_id: enrolment for enrolment in training_class.enrolments.all()}
        # A file that was not read to its end has no number of people to judge.
        size = [] if sheet.is_cut_off else _size_fault(training_class, sheet, enrolled)
        wrong = []
        if not size:
            told = _name_faults_told(training_class, digest, at)
            wrong = _place_faults(sheet, training_class, enrolled, today=timezone.localdate(at))
            if differing := sum(fault.refusal.code == "name_differs" for fault in wrong):
                _note_name_faults(training_class, digest, differing, told, actor=actor, at=at)
        faults = sorted((*sheet.faults, *wrong, *size), key=lambda fault: (fault.row or 0, fault.column))
        refused_rows = {fault.row for fault in wrong}
        result = RosterImport(
            sheet=sheet.title,
            read=sheet.read,
            accepted=sum(row.row not in refused_rows for row in sheet.rows),
            rejected=tuple(faults),
            sha256=digest,
            imported=not faults and not dry_run,
            rows=() if faults else sheet.rows,
        )
        if result.imported:
            _enrol(training_class, sheet.rows, enrolled, result, actor=actor, at=at)
    if faults and not dry_run:
        raise _rejected(result)
    return result


def remove_trainee(*, enrolment: Enrolment, actor: User, at: datetime.datetime) -> Enrolment:
    """Take a trainee off the roster of a draft or returned class; raises `class_not_editable`,
    `move_refused`.
    """
    with transaction.atomic():
        training_class = lock_class(enrolment.training_class_id)
        permissions.require_manage(actor, training_class)
        permissions.require_editable(training_class)
        enrolment = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
        move(enrolment, "leave")
        enrolment.save(update_fields=["state"])
        audit.record(
            "roster.trainee_removed",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={"trainee": enrolment.pk, "trainees": _active(training_class)},
            at=at,
        )
    return enrolment


def _known_people(rows: Sequence[RosterRow]) -> Mapping[bytes, Person]:
    indexes = [id_number_index(row.id_number) for row in rows]
    return {
        bytes(person.id_number_index): person
        for person in Person.objects.filter(id_number_index__in=indexes).only("name", "id_number_index")
    }


def _place_faults(
    sheet: RosterSheet,
    training_class: TrainingClass,
    enrolled: Mapping[int, Enrolment],
    *,
    today: datetime.date,
) -> list[RosterFault]:
    """Faults that only show against what the platform holds, and against today."""
    known = _known_people(sheet.rows)
    faults = []
    for row in sheet.rows:
        try:
            require_born(row.id_number, on=today)
        except Refusal as too_early:
            faults.append(_about_id(row, sheet, too_early))
            continue
        person = known.get(id_number_index(row.id_number))
        if person is None:
            continue
        if person.name != row.name:
            refusal = Refusal(
                "name_differs",
                gettext_noop("姓名和身份证号对不上：这个号码已用另一个姓名登记。"),
                found=False,
                required=True,
                rule="P7",
                next_step=gettext_noop("请对照身份证核对；两样都没错，请联系当地人社部门。"),
            )
            faults.append(RosterFault(row.row, sheet.columns[NAME], NAME, refusal, row.name, row.name))
        elif person.pk in enrolled and enrolled[person.pk].state == EnrolmentState.ACTIVE:
            refusal = Refusal(
                "already_enrolled",
                gettext_noop("已经在这个班的花名册里。"),
                found=True,
                required=False,
                rule="P7",
                next_step=gettext_noop("请删掉这一行。"),
            )
            faults.append(_about_id(row, sheet, refusal))
        elif person.pk in (training_class.lecturer_id, training_class.assistant_id):
            refusal = Refusal(
                "is_staff",
                gettext_noop("是这个班的讲师或助教，不能同时当学员。"),
                found=Role.LECTURER if person.pk == training_class.lecturer_id else Role.ASSISTANT,
                required=Role.TRAINEE,
                rule="F14",
                next_step=gettext_noop("请删掉这一行，或换一名讲师、助教。"),
            )
            faults.append(_about_id(row, sheet, refusal))
    return faults


def _name_faults_told(training_class: TrainingClass, digest: str, at: datetime.datetime) -> set[str]:
    """The files of the institution in which today a name did not fit its number; raises
    `name_checks_used_up` for another one where there are as many as a day allows.
    """
    today = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    classes = TrainingClass.objects.filter(institution=training_class.institution_id)
    told = set(
        Entry.objects.filter(
            kind="roster.names_differ",
            chain__in=[one.subject for one in classes.only("pk")],
            at__gte=today,
        ).values_list("facts__file", flat=True)
    )
    if len(told) < MOST_NAME_FAULTS or digest in told:
        return told
    raise Refusal(
        "name_checks_used_up",
        gettext_noop("今天已有 %(count)s 张花名册里有姓名和身份证号对不上的学员，今天不再核对。"),
        found=len(told),
        required=MOST_NAME_FAULTS - 1,
        rule="P7",
        params={"count": len(told)},
        next_step=gettext_noop("请对照身份证核对花名册，明天再导入；两样都没错，请联系当地人社部门。"),
        status=429,
    )


def _note_name_faults(
    training_class: TrainingClass,
    digest: str,
    rows: int,
    told: Collection[str],
    *,
    actor: User,
    at: datetime.datetime,
) -> None:
    """Put on record that this file was told so; once a day for the same file."""
    if digest in told:
        return
    audit.record(
        "roster.names_differ",
        actor_id=actor.pk,
        subject=training_class.subject,
        facts={"rows": rows, "file": digest},
        at=at,
    )


def _about_id(row: RosterRow, sheet: RosterSheet, refusal: Refusal) -> RosterFault:
    return RosterFault(row.row, sheet.columns[ID_NUMBER], ID_NUMBER, refusal, row.name, row.id_number.masked)


def _size_fault(
    training_class: TrainingClass, sheet: RosterSheet, enrolled: Mapping[int, Enrolment]
) -> list[RosterFault]:
    """F11, F12: the roster with everybody in the file would be too large."""
    active = sum(enrolment.state == EnrolmentState.ACTIVE for enrolment in enrolled.values())
    finding = judge_class_size(
        find_edition(training_class.edition), training_class.course.course_type, active + sheet.read
    )
    if finding.passed:
        return []
    refusal = Refusal(
        "class_size",
        finding.message,
        found=finding.actual,
        required=finding.required,
        rule=finding.row,
        params=finding.params,
        next_step=gettext_noop("请分成两个班导入，或先移出几名学员。"),
    )
    return [RosterFault(None, "", "", refusal)]


def _enrol(
    training_class: TrainingClass,
    rows: Sequence[RosterRow],
    enrolled: Mapping[int, Enrolment],
    result: RosterImport,
    *,
    actor: User,
    at: datetime.datetime,
) -> None:
    # In one order everywhere, so that two imports with the same people never wait for each other in a circle.
    in_order = sorted(rows, key=lambda row: id_number_index(row.id_number))
    people = [
        find_or_create_person(name=row.name, id_number=row.id_number, phone=row.phone, at=at)
        for row in in_order
    ]
    commitments = []
    new = []
    for row, person in zip(in_order, people, strict=True):
        salt = audit.new_salt()
        commitments.append(commitment_of(row.id_number.value, row.name, row.category, salt=salt))
        sealed = vault.seal(salt, context=Enrolment.SALT_CONTEXT)
        returning = enrolled.get(person.pk)
        if returning is None:
            added = Enrolment(
                training_class=training_class,
                person=person,
                category=row.category,
                commitment_salt_sealed=sealed,
            )
            added.seal_phone(row.phone)
            new.append(added)
        else:
            move(returning, "rejoin")
            returning.category = row.category
            returning.commitment_salt_sealed = sealed
            returning.seal_phone(row.phone)
            returning.save(
                update_fields=["state", "category", "commitment_salt_sealed", *Enrolment.PHONE_FIELDS]
            )
    Enrolment.objects.bulk_create(new)
    for person in sorted(people, key=lambda person: person.pk):
        ensure_trainee_account(person=person, at=at)
    audit.record(
        "roster.imported",
        actor_id=actor.pk,
        subject=training_class.subject,
        facts={
            "imported": len(rows),
            "trainees": _active(training_class),
            "file": result.sha256,
            "commitments": commitments,
        },
        at=at,
    )


def commitment_of(id_number: str, name: str, category: str, *, salt: bytes) -> str:
    """The commitment under which a trainee stands in the log: ID number, name and category, one per line."""
    return audit.commit("\n".join([id_number, name, category]), salt=salt)


def _active(training_class: TrainingClass) -> int:
    return training_class.enrolments.filter(state=EnrolmentState.ACTIVE).count()


def _rejected(result: RosterImport) -> Refusal:
    rows, faults = result.wrong_rows, len(result.rejected)
    if not result.read:
        message = gettext_noop("这张表先要改 %(faults)s 处才能逐行核对，一行也没有导入。")
        found = Message(gettext_noop("%(faults)s 处要改，还没有逐行读"), {"faults": faults})
        next_step = gettext_noop("请照下面把表改好，重新上传。")
    else:
        message = (
            gettext_noop("%(read)s 行里有 %(wrong)s 行要改，整张表都没有导入。")
            if rows
            else gettext_noop("整张表都没有导入。")
        )
        found = Message(
            gettext_noop("读到 %(read)s 行：%(accepted)s 行可以导入，%(faults)s 处要改"),
            {"read": result.read, "accepted": result.accepted, "faults": faults},
        )
        next_step = gettext_noop("请照下面逐行改好，重新上传。")
    return Refusal(
        "roster_rejected",
        message,
        found=found,
        required=gettext_noop("姓名、身份证号、学员类别齐全、正确、不重复"),
        rule="P7",
        params={"read": result.read, "wrong": rows, "faults": faults},
        next_step=next_step,
        details={"accepted": result.accepted, "rejected": result.rejected},
    )
