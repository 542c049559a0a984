"""Booking everybody of a class for its lessons while it is filed, and letting them go again.

The caller holds the lock of the class.
"""

from django.db import IntegrityError, connection, transaction

from classes.bookings import people_of
from classes.models import BOOKED_KINDS, Booking, TrainingClass
from policy.messages import gettext_noop
from policy.refusals import Refusal


def take_turns(training_class: TrainingClass) -> None:
    """Wait until nobody else is booking one of these people, and make others wait until this transaction
    ends.

    Taken before the timetable is judged, in one order everywhere: of two submissions that want the same
    person the second one sees what the first has booked, and neither waits in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended('booking/' || person, 0))"
            " from (select unnest(%s::bigint[]) as person order by 1) as people",
            [sorted(people_of(training_class))],
        )


def book(training_class: TrainingClass) -> None:
    """Book everybody for every lesson that has its hour; raises Refusal `people_booked` if somebody is taken.

    What the timetable was judged by has said so before; the table's own constraint is what cannot be argued
    with.
    """
    people = sorted(people_of(training_class))
    lessons = training_class.lessons.filter(kind__in=BOOKED_KINDS)
    try:
        with transaction.atomic():
            Booking.objects.bulk_create(
                Booking(lesson=lesson, person_id=person, during=(lesson.starts_at, lesson.ends_at))
                for person in people
                for lesson in lessons
            )
    except IntegrityError as error:
        if "person_booked_once_at_a_time" not in str(error):
            raise
        raise Refusal(
            "people_booked",
            gettext_noop("课表里有人在同一时间已经排了别的班的课，没有提交。"),
            found=gettext_noop("同一时间两处有课"),
            required=gettext_noop("每个人同一时间只在一处上课"),
            rule="M6",
            next_step=gettext_noop("请打开课表看是谁、哪一节，改时间或换人以后再提交。"),
        ) from None


def free(training_class: TrainingClass) -> None:
    """Let everybody go."""
    Booking.objects.filter(lesson__training_class=training_class).delete()
