"""The catalogue's background work: thin, repeatable, by id."""

from celery import shared_task
from django.utils import timezone

from courses.actions.materials import process_slides
from courses.models import Material
from courses.states import MaterialKind, MaterialState


@shared_task(name="courses.render_slides", soft_time_limit=900)
def render_slides(material_id: int) -> None:
    """Render the pages of slides; what was taken out meanwhile is passed over."""
    material = Material.objects.select_related("version__course").filter(pk=material_id).first()
    if material is not None:
        process_slides(material=material, at=timezone.now())


@shared_task(name="courses.render_waiting_slides")
def render_waiting_slides() -> int:
    """Render what the queue never took; beat calls it every minute. Returns how many."""
    waiting = Material.objects.filter(kind=MaterialKind.SLIDES, state=MaterialState.WAITING)
    found = list(waiting.values_list("pk", flat=True)[:20])
    for pk in found:
        render_slides(pk)
    return len(found)
