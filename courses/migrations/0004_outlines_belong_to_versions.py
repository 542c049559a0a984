"""An outline belongs to a version, and a published version refuses changes, whoever asks."""

import django.db.models.deletion
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION courses_refuse_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen boolean;
BEGIN
    SELECT EXISTS (
        SELECT FROM courses_courseversion
         WHERE state <> 'draft'
           AND id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,
                      CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)
    ) INTO frozen;
    IF frozen THEN
        RAISE EXCEPTION 'a published course version does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE FUNCTION courses_refuse_published_page() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen boolean;
BEGIN
    SELECT EXISTS (
        SELECT FROM courses_courseversion version JOIN courses_material material
            ON material.version_id = version.id
         WHERE version.state <> 'draft'
           AND material.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.material_id END,
                               CASE WHEN TG_OP <> 'DELETE' THEN NEW.material_id END)
    ) INTO frozen;
    IF frozen THEN
        RAISE EXCEPTION 'a published course version does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE FUNCTION courses_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'draft' AND (
        TG_OP = 'DELETE' OR NEW.state = 'draft' OR (OLD.state = 'retired' AND NEW.state <> 'retired')
        OR to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state'
    ) THEN
        RAISE EXCEPTION 'a published course version does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER courses_outlineunit_frozen BEFORE INSERT OR UPDATE OR DELETE ON courses_outlineunit
    FOR EACH ROW EXECUTE FUNCTION courses_refuse_published();
CREATE TRIGGER courses_material_frozen BEFORE INSERT OR UPDATE OR DELETE ON courses_material
    FOR EACH ROW EXECUTE FUNCTION courses_refuse_published();
CREATE TRIGGER courses_slidepage_frozen BEFORE INSERT OR UPDATE OR DELETE ON courses_slidepage
    FOR EACH ROW EXECUTE FUNCTION courses_refuse_published_page();
CREATE TRIGGER courses_courseversion_frozen BEFORE UPDATE OR DELETE ON courses_courseversion
    FOR EACH ROW EXECUTE FUNCTION courses_refuse_version_change();
"""
NO_FUNCTIONS = """
DROP TRIGGER courses_courseversion_frozen ON courses_courseversion;
DROP TRIGGER courses_slidepage_frozen ON courses_slidepage;
DROP TRIGGER courses_material_frozen ON courses_material;
DROP TRIGGER courses_outlineunit_frozen ON courses_outlineunit;
DROP FUNCTION courses_refuse_version_change();
DROP FUNCTION courses_refuse_published_page();
DROP FUNCTION courses_refuse_published();
"""


class Migration(migrations.Migration):
    dependencies = [("courses", "0003_existing_courses_become_version_1")]

    operations = [
        migrations.RemoveConstraint("outlineunit", "outline_position_once"),
        migrations.AlterModelOptions(
            "outlineunit", {"ordering": ["version_id", "position"], "verbose_name": "大纲"}
        ),
        migrations.AlterField(
            "outlineunit",
            "version",
            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="outline", to="courses.courseversion"),
        ),
        # Reversing puts the column back empty; 0003 backwards fills it.
        migrations.AlterField(
            "outlineunit",
            "course",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="outline", to="courses.course"),
        ),
        migrations.RemoveField("outlineunit", "course"),
        migrations.AddConstraint(
            "outlineunit",
            models.UniqueConstraint(fields=("version", "position"), name="outline_position_once"),
        ),
        migrations.RemoveField("course", "original"),
        migrations.AddConstraint(
            "course",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("institution__isnull", False), ("origin", "institution")),
                    models.Q(models.Q(("origin", "institution"), _negated=True), ("institution__isnull", True)),
                    _connector="OR",
                ),
                name="course_of_an_institution_names_it",
            ),
        ),
        migrations.AddConstraint(
            "course",
            models.CheckConstraint(
                condition=models.Q(("converted_from__isnull", True), ("origin", "converted"), _connector="OR"),
                name="course_original_of_a_conversion_only",
            ),
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
