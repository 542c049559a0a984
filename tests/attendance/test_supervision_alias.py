"""A regulator's connection reads the same seconds and the same trace, and can write none of it."""

import pytest
from django.db import DatabaseError

from attendance import queries
from attendance.models import SignIn
from config.demo.cast import Cast
from tests.attendance.conftest import Room, clock

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_the_read_only_connection_computes_the_same(cast: Cast, room: Room) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:33"), clock("11:30")))
    sign_in = room.signed_in(room.learner, lesson, clock("08:20"))
    room.checked(lesson, clock("09:00"), clock("09:01"), [room.learner])
    ours = queries.credit_of_class(room.training_class)
    assert queries.credit_of_class(room.training_class, using="supervision") == ours
    ours_traced = queries.trace(room.learner)
    theirs = queries.trace(room.learner, using="supervision")
    assert [one.stretches for one in theirs] == [one.stretches for one in ours_traced]
    assert theirs[0].lesson._state.db == "supervision"
    with pytest.raises(DatabaseError):
        SignIn.objects.using("supervision").filter(pk=sign_in.pk).update(state="refused")
