"""Adding slides and videos to a draft, rendering slides, taking a material out again."""

import datetime
import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max

import audit
from accounts.models import User
from courses import permissions, slides, videos
from courses.actions.moves import move
from courses.actions.versions import is_shared, lock_version
from courses.models import CourseVersion, Material, SlidePage
from courses.states import MaterialKind, MaterialState
from policy.messages import gettext_noop
from policy.refusals import Refusal

MOST_MATERIALS = 100
LONGEST_TITLE = 120

logger = logging.getLogger(__name__)


def add_slides(
    *, version: CourseVersion, title: str, file: "File[bytes]", actor: User, at: datetime.datetime
) -> Material:
    """Add a PDF to a draft; the worker renders its pages.

    Raises Refusal `not_the_editor` (403), `version_published`, `material_title_missing`,
    `materials_too_many`, `material_too_big`, `slides_not_pdf`, `slides_locked`, `slides_too_many_pages`.
    """
    _judge(version, title, file, slides.MOST_BYTES, actor)
    with _on_disk(file) as path:
        pages = slides.page_count(path)
        material = Material(kind=MaterialKind.SLIDES, pages=pages)
        _add(material, version, title, file, "pdf", actor, at)
    from courses.tasks import render_slides  # inline: the task calls back into this module

    transaction.on_commit(lambda: render_slides.delay(material.pk))
    return material


def add_video(
    *,
    version: CourseVersion,
    title: str,
    file: "File[bytes]",
    captions: bytes | None,
    actor: User,
    at: datetime.datetime,
) -> Material:
    """Add an MP4 to a draft, with captions (WebVTT) if there are any; it can be watched at once.

    Raises Refusal `not_the_editor` (403), `version_published`, `material_title_missing`,
    `materials_too_many`, `material_too_big`, `video_not_mp4`, `video_codec`, `video_too_long`,
    `captions_not_vtt`.
    """
    _judge(version, title, file, videos.MOST_BYTES, actor)
    if captions is not None:
        videos.judge_captions(captions)
    with _on_disk(file) as path:
        material = Material(kind=MaterialKind.VIDEO, duration_ms=videos.duration_ms(path))
        move(material, "finish")
        _add(material, version, title, file, "mp4", actor, at, captions=captions)
    return material


def remove_material(*, material: Material, actor: User, at: datetime.datetime) -> None:
    """Take a material out of a draft; its files go unless another version has them too.

    Raises Refusal `not_the_editor` (403), `version_published`.
    """
    with transaction.atomic():
        version = lock_version(material.version, actor)
        permissions.require_draft(version)
        found = Material.objects.select_for_update().filter(pk=material.pk).first()
        if found is None:
            return
        kept = is_shared(found)
        held = [found.file, found.captions, *(page.file for page in found.slide_pages.all())]
        names = [str(one.name) for one in held if one]
        audit.record(
            "course.material_removed",
            actor_id=actor.pk,
            subject=version.subject,
            facts={
                "version": version.pk,
                "number": version.number,
                "material": found.pk,
                "file": found.sha256,
            },
            at=at,
        )
        found.delete()
        if not kept:
            transaction.on_commit(lambda: _delete(names), robust=True)


def process_slides(*, material: Material, at: datetime.datetime) -> Material:
    """Render the pages of waiting slides; called by the worker, safe to repeat.

    Slides whose pages cannot be drawn become `failed`: they are taken out and another file is tried.
    """
    if material.state != MaterialState.WAITING:
        return material
    pages: list[SlidePage] = []
    verb = "finish"
    try:
        with _on_disk(material.file) as path:
            for page in slides.rendered_pages(path):
                row = SlidePage(
                    material=material,
                    number=page.number,
                    width=page.width,
                    height=page.height,
                    text=page.text,
                )
                row.file.save(f"{page.number}.webp", ContentFile(page.webp), save=False)
                pages.append(row)
    except slides.NotRenderable as error:
        logger.warning("slides %s were not rendered: %s", material.pk, error)
        verb = "fail"
    except BaseException:
        _forget(pages)
        raise
    with transaction.atomic():
        version = lock_version(material.version, None)
        found = Material.objects.select_for_update().filter(pk=material.pk).first()
        if found is None or found.state != MaterialState.WAITING or not version.is_draft:
            _forget(pages)
            return found or material
        if verb == "fail":
            _forget(pages)
        else:
            SlidePage.objects.bulk_create(pages)
        move(found, verb)
        found.save(update_fields=["state"])
        audit.record(
            "course.material_processed",
            actor_id=None,
            subject=version.subject,
            facts={
                "material": found.pk,
                "ready": found.state == MaterialState.READY,
                "pages": len(pages) if verb == "finish" else None,
            },
            at=at,
        )
    return found


def _judge(version: CourseVersion, title: str, file: "File[bytes]", most_bytes: int, actor: User) -> None:
    """What can be judged before the file is read; judged again under the lock where it may change."""
    permissions.require_edit(actor, version.course)
    permissions.require_draft(version)
    if not 0 < len(title.strip()) <= LONGEST_TITLE:
        raise Refusal(
            "material_title_missing",
            gettext_noop("名称要写 1 到 %(most)s 个字。"),
            found=len(title.strip()),
            required=LONGEST_TITLE,
            params={"most": LONGEST_TITLE},
            next_step=gettext_noop("请写上这份材料叫什么。"),
            status=400,
        )
    if file.size > most_bytes or not file.size:
        raise Refusal(
            "material_too_big",
            gettext_noop("文件有 %(found)s MB，最大 %(most)s MB。")
            if file.size
            else gettext_noop("文件是空的。"),
            found=file.size,
            required=most_bytes,
            params={"found": -(-file.size // 1048576), "most": most_bytes // 1048576},
            next_step=gettext_noop("请压缩或分成几份再传。"),
            status=400,
        )


def _add(
    material: Material,
    version: CourseVersion,
    title: str,
    file: "File[bytes]",
    suffix: str,
    actor: User,
    at: datetime.datetime,
    captions: bytes | None = None,
) -> None:
    file.seek(0)
    material.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    material.title, material.size, material.added_at = title.strip(), file.size, at
    with transaction.atomic():
        version = lock_version(version, actor)
        permissions.require_draft(version)
        count = version.materials.count()
        if count >= MOST_MATERIALS:
            raise Refusal(
                "materials_too_many",
                gettext_noop("一版最多 %(most)s 份材料。"),
                found=count,
                required=MOST_MATERIALS,
                params={"most": MOST_MATERIALS},
                next_step=gettext_noop("请先移出不用的，再加新的。"),
            )
        last = version.materials.aggregate(last=Max("position"))["last"] or 0
        material.version, material.position = version, last + 1
        file.seek(0)
        material.file.save(f"{material.sha256}.{suffix}", File(file), save=False)
        if captions is not None:
            material.captions.save(f"{material.sha256}.vtt", ContentFile(captions), save=False)
        try:
            material.save(force_insert=True)
            audit.record(
                "course.material_added",
                actor_id=actor.pk,
                subject=version.subject,
                facts={
                    "version": version.pk,
                    "number": version.number,
                    "material": material.pk,
                    "kind": material.kind,
                    "title": material.title,
                    "size": material.size,
                    "file": material.sha256,
                },
                at=at,
            )
        except BaseException:
            _delete([str(one.name) for one in (material.file, material.captions) if one])
            raise


def _forget(pages: list[SlidePage]) -> None:
    _delete([str(page.file.name) for page in pages])


def _delete(names: Sequence[str]) -> None:
    for name in names:
        default_storage.delete(name)


@contextmanager
def _on_disk(file: "File[bytes]") -> Iterator[Path]:
    """A path under which tools can read the file: its own, where it has one, else a copy."""
    own = getattr(file, "temporary_file_path", None)
    if own is not None:
        yield Path(own())
        return
    with tempfile.NamedTemporaryFile() as copy:
        file.open("rb")
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)
