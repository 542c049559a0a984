"""A test leaves nothing to the next one, and nothing in the data of this checkout."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import TestCase
from django.utils import translation


@pytest.mark.parametrize("run", ["first", "second"])
def test_each_test_starts_in_chinese_with_an_empty_folder_of_its_own(run: str):
    assert translation.get_language() == settings.LANGUAGE_CODE
    assert not default_storage.exists("left")
    translation.activate("en")
    left = Path(default_storage.path(default_storage.save("left", ContentFile(b"by a test"))))
    assert not left.is_relative_to(settings.DATA_DIR)
    assert not left.is_relative_to(settings.ROOT)


class TestsThatShareTheirRows(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        default_storage.save("shared", ContentFile(b"by the class"))

    def test_share_their_files_too(self) -> None:
        assert default_storage.exists("shared")
