"""The lock under which everything about one person's face is judged and written."""

from accounts.models import Person


def lock_person(person_id: int) -> Person:
    """Lock a person's row until the transaction ends, without blocking rows that merely refer to it."""
    return Person.objects.select_for_update(no_key=True).get(pk=person_id)
