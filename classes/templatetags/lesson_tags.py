"""How a lesson stands while its page is drawn."""

from django import template
from django.utils import timezone

from classes.models import Lesson
from classes.states import LessonStanding

register = template.Library()


@register.filter
def standing_now(lesson: Lesson) -> LessonStanding:
    """What is true of the lesson at this moment: `{% state lesson|standing_now %}`."""
    return lesson.standing_at(timezone.now())
