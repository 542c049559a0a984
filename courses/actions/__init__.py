"""Everything that writes the catalogue: courses, their versions and materials.

Every function takes `actor` and `at`, opens its own transaction, locks the course first, judges, writes, and
leaves evidence in the chain `course/<id>`.
"""

from courses.actions.catalogue import load_catalogue
from courses.actions.courses import CourseDetails, create_course, update_course
from courses.actions.materials import add_slides, add_video, process_slides, remove_material
from courses.actions.versions import draft_version, publish_version, retire_version, set_outline

__all__ = [
    "CourseDetails",
    "add_slides",
    "add_video",
    "create_course",
    "draft_version",
    "load_catalogue",
    "process_slides",
    "publish_version",
    "remove_material",
    "retire_version",
    "set_outline",
    "update_course",
]
