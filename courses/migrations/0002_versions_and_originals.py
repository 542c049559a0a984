"""Versions, originals and materials beside what there is; the next two fill and require them."""

import courses.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ORIGINS = [
    ("pilot", "试点机构开发"),
    ("platform", "平台开发"),
    ("converted", "线下课程改造"),
    ("institution", "机构自建"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("courses", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="OriginalCourse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True, verbose_name="线下原课程")),
                ("publisher", models.CharField(blank=True, max_length=120, verbose_name="编写单位")),
                ("description", models.TextField(blank=True, verbose_name="说明")),
            ],
            options={"verbose_name": "线下原课程", "ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="CourseVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="版本")),
                ("state", models.CharField(choices=[("draft", "草稿"), ("published", "已发布"), ("retired", "已停用")], default="draft", max_length=10, verbose_name="状态")),
                ("notes", models.TextField(blank=True, verbose_name="改了什么")),
                ("created_at", models.DateTimeField(verbose_name="建立时间")),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="发布时间")),
                ("outline_digest", models.CharField(blank=True, max_length=64)),
                ("course", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="courses.course")),
                ("published_by", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "课程版本",
                "ordering": ["course_id", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("course", "number"), name="course_version_number_once"),
                    models.UniqueConstraint(condition=models.Q(("state", "draft")), fields=("course",), name="course_one_draft_at_a_time"),
                    models.CheckConstraint(condition=models.Q(("state__in", ["draft", "published", "retired"])), name="course_version_state_known"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outline_digest", ""), ("published_at__isnull", True), ("state", "draft")),
                            models.Q(models.Q(("state", "draft"), _negated=True), ("published_at__isnull", False), models.Q(("outline_digest", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="course_version_published_is_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Material",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(verbose_name="序号")),
                ("kind", models.CharField(choices=[("slides", "课件"), ("video", "点播视频")], max_length=8, verbose_name="种类")),
                ("title", models.CharField(max_length=120, verbose_name="名称")),
                ("state", models.CharField(choices=[("waiting", "处理中"), ("ready", "可以用"), ("failed", "没有处理好")], default="waiting", max_length=8, verbose_name="状态")),
                ("file", models.FileField(max_length=200, upload_to=courses.models.material_path)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("pages", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("duration_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("captions", models.FileField(blank=True, max_length=200, upload_to=courses.models.material_path)),
                ("added_at", models.DateTimeField()),
                ("version", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="materials", to="courses.courseversion")),
            ],
            options={
                "verbose_name": "课程材料",
                "ordering": ["version_id", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "position"), name="material_position_once"),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["slides", "video"])), name="material_kind_known"),
                    models.CheckConstraint(condition=models.Q(("state__in", ["waiting", "ready", "failed"])), name="material_state_known"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("duration_ms__isnull", True), ("kind", "slides"), ("pages__gt", 0)),
                            models.Q(("duration_ms__gt", 0), ("kind", "video"), ("pages__isnull", True)),
                            _connector="OR",
                        ),
                        name="material_has_pages_or_a_duration",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SlidePage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("file", models.FileField(max_length=200, upload_to=courses.models.page_path)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("text", models.TextField(blank=True)),
                ("material", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="slide_pages", to="courses.material")),
            ],
            options={
                "ordering": ["material_id", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("material", "number"), name="slide_page_once"),
                    models.CheckConstraint(condition=models.Q(("height__gt", 0), ("width__gt", 0)), name="slide_page_has_a_size"),
                ],
            },
        ),
        migrations.AddField("course", "audience", models.TextField(blank=True, verbose_name="适合谁学")),
        migrations.AddField(
            "course",
            "converted_from",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="conversions", to="courses.originalcourse", verbose_name="线下原课程"),
        ),
        migrations.AddField(
            "course",
            "institution",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="courses", to="accounts.institution", verbose_name="机构"),
        ),
        migrations.AlterField("course", "origin", models.CharField(choices=ORIGINS, max_length=12, verbose_name="来源")),
        migrations.RemoveConstraint("course", "course_origin_known"),
        migrations.AddConstraint(
            "course",
            models.CheckConstraint(condition=models.Q(("origin__in", ["pilot", "platform", "converted", "institution"])), name="course_origin_known"),
        ),
        migrations.AddField(
            "outlineunit",
            "version",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="outline", to="courses.courseversion"),
        ),
    ]
