"""A roster keeps the phone number that it was given; until now there was one for each person.

Who was on one institution's rosters only takes the person's number along. Of others nobody can tell any more
whose number it was, so it stays with the person and is shown to no school.
"""

from django.db import migrations, models
from django.db.models import Count

from accounts import vault
from accounts.models import Person
from classes.models import Enrolment


def take_along(apps, schema_editor):
    enrolments = apps.get_model("classes", "Enrolment").objects.using(schema_editor.connection.alias)
    schools = enrolments.values("person").annotate(n=Count("training_class__institution", distinct=True))
    of_one = schools.filter(n=1).values("person")
    for one in enrolments.filter(person__in=of_one).exclude(person__phone_sealed=None).select_related("person"):
        phone = vault.unseal(one.person.phone_sealed, context=Person.PHONE_CONTEXT)
        one.phone_sealed = vault.seal(phone, context=Enrolment.PHONE_CONTEXT)
        one.phone_masked = one.person.phone_masked
        one.save(update_fields=["phone_sealed", "phone_masked"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_activation"), ("classes", "0009_day_of_the_province")]
    operations = [
        migrations.AddField("enrolment", "phone_sealed", models.BinaryField(editable=False, null=True)),
        migrations.AddField(
            "enrolment",
            "phone_masked",
            models.CharField(blank=True, editable=False, max_length=20, verbose_name="手机号"),
        ),
        migrations.RunPython(take_along, migrations.RunPython.noop),
    ]
