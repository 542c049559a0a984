"""How a lesson stands while its page is drawn."""

from django import template
from django.utils import timezone

from classes.models import Lesson
from classes.states import LessonStanding

register = template.Library()


@register.filter
def standing_now(lesson: Lesson | None) -> LessonStanding | None:
    """What is true of the lesson at this moment: `{% state lesson|standing_now %}`; nothing of no lesson."""
    return lesson.standing_at(timezone.now()) if lesson else None
