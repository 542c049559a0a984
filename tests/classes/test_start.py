"""What the start page asks of each person."""

import datetime

from django.utils import timezone

from classes import actions
from classes.models import Lesson
from classes.queries import next_steps_for
from classes.states import LessonState
from tests.cast import client_of


def titles(user, now):
    return [task.title for task in next_steps_for(user, now)]


def test_a_manager_is_led_from_roster_to_timetable_to_filing(school, manager, now, time_machine):
    assert titles(manager, now) == []
    training_class = school.create()
    [task] = next_steps_for(manager, now)
    assert task.title == "给“2026 年第 7 期创业意识培训班”导入花名册"
    assert task.detail == "2026年9月21日 开班，要提前 5 个工作日提交备案"
    assert task.due
    assert timezone.localtime(task.due).date() == datetime.date(2026, 9, 15)
    time_machine.move_to(now, tick=False)
    assert "最晚 9月15日 周二" in client_of(manager).get("/start/").content.decode()
    [late] = next_steps_for(manager, task.due + datetime.timedelta(seconds=1))
    assert late.detail == "2026年9月21日 开班已经来不及备案，请把开班日期往后改"
    school.enrol(training_class)
    assert titles(manager, now) == ["给“2026 年第 7 期创业意识培训班”排课表"]
    from tests.classes.school import gyb_drafts

    school.schedule(training_class, gyb_drafts())
    assert titles(manager, now) == ["提交“2026 年第 7 期创业意识培训班”的开班备案"]
    filing = actions.submit_filing(training_class=training_class, actor=manager, at=now)
    assert titles(manager, now) == []
    school.decide(filing, approved=False)
    [task] = next_steps_for(manager, now)
    assert (task.title, task.urgent) == ("改好“2026 年第 7 期创业意识培训班”，重新提交", True)


def test_the_office_hears_how_many_wait(school, officer, rival, now):
    school.filed()
    assert titles(officer, now) == ["1 件开班备案等您审核"]
    assert [task.action for task in next_steps_for(officer, now)] == ["去审核"]
    assert titles(rival, now) == []


def test_staff_hear_of_the_next_lesson(school, trainer, assistant, now):
    training_class = school.approved()
    lesson = training_class.lessons.first()
    assert titles(trainer, now) == [f"下一节课：{lesson.title}"]
    [task] = next_steps_for(trainer, lesson.starts_at - datetime.timedelta(minutes=30))
    assert (task.title, task.urgent, task.url) == (
        f"进课堂：{lesson.title}",
        True,
        f"/lessons/{lesson.pk}/room/",
    )
    assert task.action == "去开课"
    Lesson.objects.filter(pk=lesson.pk).update(state=LessonState.OPEN, opened_at=lesson.starts_at)
    for user in (trainer, assistant):
        [task] = next_steps_for(user, lesson.starts_at)
        assert task.action == "进课堂"
