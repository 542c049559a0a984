"""Who is taken when: the hours of filed classes that a person cannot give or attend twice.

A class books its lecturer, its assistant and its roster from the submission of its filing until it is
returned, withdrawn or cancelled. Drafts book nobody; they are shown what they would run into. One human has
one clock (LEDGER, ambiguity 6), so the table refuses two bookings of one person at one time, whatever the
class, the institution or the part the person plays.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from classes.models import BOOKED_KINDS, Booking, TrainingClass
from classes.states import EnrolmentState
from classes.timetables import LessonDraft


class Part(StrEnum):
    """What somebody is in the class that is judged."""

    LECTURER = "lecturer"
    ASSISTANT = "assistant"
    TRAINEE = "trainee"


@dataclass(frozen=True, slots=True)
class Clash:
    """One person whom one row of a timetable asks for while they are booked elsewhere.

    `row` counts the drafts from 0. `elsewhere` is the other class's name where the same institution runs it;
    of another institution's class nothing is told, so it is empty, and `when` is always the row's own time.
    """

    row: int
    part: Part
    person: str
    title: str
    when: str
    elsewhere: str

    @property
    def words(self) -> str:
        """The clash in one sentence for the row itself."""
        told = {"person": self.person, "class": self.elsewhere}
        if self.elsewhere:
            return _("%(person)s这时要上“%(class)s”的课。") % told
        return _("%(person)s这时已排在别的机构的培训班。") % told


def people_of(training_class: TrainingClass) -> dict[int, Part]:
    """Everybody whom the class needs, by id."""
    enrolled = training_class.enrolments.filter(state=EnrolmentState.ACTIVE)
    people = dict.fromkeys(enrolled.order_by().values_list("person_id", flat=True), Part.TRAINEE)
    for person, part in (
        (training_class.assistant_id, Part.ASSISTANT),
        (training_class.lecturer_id, Part.LECTURER),
    ):
        if person is not None:
            people[person] = part
    return people


def clashes_of(training_class: TrainingClass, drafts: Sequence[LessonDraft]) -> list[Clash]:
    """Where this timetable asks for somebody whom another filed class has booked, in the order of the rows.

    Reads one stretch of the table; a row whose times are no stretch yet is left out.
    """
    timed = [
        (row, draft)
        for row, draft in enumerate(drafts)
        if draft.kind in BOOKED_KINDS and draft.ends_at > draft.starts_at
    ]
    if not timed:
        return []
    people = people_of(training_class)
    whole = (min(draft.starts_at for row, draft in timed), max(draft.ends_at for row, draft in timed))
    taken = (
        Booking.objects.filter(person__in=people, during__overlap=whole)
        .exclude(lesson__training_class=training_class)
        .select_related("person", "lesson__training_class")
        .order_by("person_id", "during")
    )
    found = [
        Clash(
            row=row,
            part=people[booking.person_id],
            person=booking.person.name,
            title=draft.title,
            when=_stretch(draft.starts_at, draft.ends_at),
            elsewhere=_name_within(training_class, booking.lesson.training_class),
        )
        for booking in taken
        for row, draft in timed
        if draft.starts_at < booking.during.upper and booking.during.lower < draft.ends_at
    ]
    return sorted(found, key=lambda clash: clash.row)


def booked_times(
    training_class: TrainingClass, *, since: datetime.datetime
) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """When anybody of the class is taken by another filed class, from `since` on; in order of time."""
    taken = (
        Booking.objects.filter(person__in=people_of(training_class), during__endswith__gt=since)
        .exclude(lesson__training_class=training_class)
        .order_by("during")
    )
    return sorted({(booking.during.lower, booking.during.upper) for booking in taken})


def _name_within(training_class: TrainingClass, other: TrainingClass) -> str:
    return other.name if other.institution_id == training_class.institution_id else ""


def _stretch(starts_at: datetime.datetime, ends_at: datetime.datetime) -> str:
    starts, ends = timezone.localtime(starts_at), timezone.localtime(ends_at)
    return f"{starts:%Y-%m-%d %H:%M}–{ends:%H:%M}"
