"""Chinese is the source, English is complete (docs/translation.md), and both read as LOOK asks.

The catalogue is compared with a fresh extraction of the whole tree, made by the command that makes it.
"""

import ast
import datetime
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import polib
import pytest
import yaml
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.test import Client
from django.utils import formats, translation

from accounts.refusals import rendered
from policy.classes import judge_class_size
from policy.editions import load_editions
from policy.hours import parse_hours
from policy.messages import NBSP, Message, gettext_noop, percent_text
from policy.refusals import Refusal
from policy.terms import SYB, Mode

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "platform" / "config" / "locale"
ENGLISH = LOCALE / "en" / "LC_MESSAGES" / "django.po"
OWN_CHINESE = LOCALE / "zh_Hans" / "LC_MESSAGES" / "django.po"
NOT_SHOWN = {"tests", "bench", "docs", "requirements", "node_modules", "locale", "__pycache__"}
MAKE = ["makemessages", "-l", "en", "--no-wrap", "--add-location", "file"]
HOW = "run the command of docs/translation.md and translate what is new"

HAN = r"\u3400-\u9fff"
FULL_WIDTH = r"\u3001-\u303f\uff01-\uffee"

# Terms that English keeps in Chinese, in brackets after their translation: the law fixes them, or people
# have to type them as they are.
KEPT_TERMS = frozenset(
    {
        "课时",
        "开班备案",
        "公示",
        "合格证",
        "河南省就业创业培训合格证",
        "定点创业培训机构",
        "全程直播",
        "线上+线下",
        "原则上",
        "各1名",
        "贫困家庭子女",
        "毕业学年高校毕业生",
        "城乡未继续升学的应届初高中毕业生",
        "农村转移就业劳动者",
        "城镇登记失业人员",
        "豫人社办〔2020〕97号",
        "《人脸识别技术应用安全管理办法》",
        "姓名",
        "身份证号",
        "手机号",
        "学员类别",
    }
)
KEPT = re.compile(rf"\(({'|'.join(map(re.escape, KEPT_TERMS))})\)")

# Files that speak Chinese on purpose, whatever the reader's language.
CHINESE_BY_PURPOSE = (
    "classes/packages.py",  # documents for offices
    "classes/rosters.py",
    "exams/certificates/document.py",
    "platform/audit/offline_verifier.py",  # leave the platform; have no catalogue
    "platform/config/demo/",  # names and sayings of the demo
    "platform/config/supervisor/",  # a terminal, in both languages at once
    "platform/config/templatetags/yc.py",  # writes dates and amounts in both languages
    "platform/config/settings.py",  # the languages' own names
    "platform/config/context.py",
    "platform/config/views.py",  # samples of the style page
    "platform/exchange/format_page.py",  # documents for offices
    "platform/exchange/packages.py",
    "platform/exchange/xlsx/gateway.py",
    "platform/identity/consent_texts/",  # fixed by its version and digest
    "platform/policy/citations.py",  # the norm's words
    "subsidies/actions/exports.py",
    "subsidies/offline_checker.py",
    "templates/site/components.html",
)

# What xgettext knows, as Django calls it.
MARKERS = frozenset(
    {
        *("_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"),
        *("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"),
    }
)


def sources(*endings: str) -> Iterator[Path]:
    """Every file whose words people may see."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_SHOWN and not name.startswith(".")]
        yield from (Path(folder, name) for name in files if name.endswith(endings))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def extraction(tmp_path_factory: pytest.TempPathFactory) -> tuple[polib.POFile, str]:
    """A catalogue made from nothing but today's sources, and what makemessages said while making it."""
    assert shutil.which("xgettext"), "needs gettext (apt-get install gettext)"
    copy = tmp_path_factory.mktemp("sources")
    (copy / "locale").mkdir()
    for path in sources(".py", ".html", ".txt"):
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "django", *MAKE], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return polib.pofile(str(copy / "locale" / "en" / "LC_MESSAGES" / "django.po")), done.stdout


@pytest.fixture(scope="module")
def fresh(extraction: tuple[polib.POFile, str]) -> polib.POFile:
    return extraction[0]


@pytest.fixture(scope="module")
def english() -> polib.POFile:
    return polib.pofile(str(ENGLISH))


def source_texts(entry: polib.POEntry) -> list[str]:
    return [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]


def translations(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def keys(entries: Iterable[polib.POEntry]) -> set[tuple[str | None, str, str]]:
    return {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in entries}


# --- completeness ---


def test_every_string_has_its_entry(fresh, english):
    assert sorted(text for _, text, _ in keys(fresh) - keys(english)) == [], HOW


def test_no_entry_outlives_its_string(fresh, english):
    assert sorted(text for _, text, _ in keys(english) - keys(fresh)) == [], HOW
    assert [entry.msgid for entry in english.obsolete_entries()] == [], HOW


def test_every_entry_is_translated_and_sure(english):
    assert [entry.msgid for entry in english if not all(translations(entry))] == [], HOW
    assert [entry.msgid for entry in english if entry.fuzzy] == [], HOW


def test_no_string_is_used_both_with_and_without_plural(extraction):
    """xgettext joins the two, and one place would always show the singular."""
    assert [line for line in extraction[1].splitlines() if "warning" in line] == []


# --- places ---


def places(text: str) -> list[str]:
    return sorted(set(re.findall(r"%\(\w+\)[a-z]|\{\w*\}", text)))


def tags(text: str) -> list[str]:
    return sorted(re.findall(r"</?\w[^>]*>", text))


@pytest.mark.parametrize("catalogue", [ENGLISH, OWN_CHINESE], ids=["en", "zh_Hans"])
def test_translations_keep_every_place(catalogue):
    wrong = []
    for entry in polib.pofile(str(catalogue)).translated_entries():
        wanted = places(source_texts(entry)[-1])
        *others, last = translations(entry)
        # The singular may say “one” instead of its number.
        if places(last) != wanted or any(not set(places(form)) <= set(wanted) for form in others):
            wrong.append(entry.msgid)
    assert wrong == []


def test_translations_can_be_filled(english):
    """Nothing but the places and doubled signs may follow a per cent sign, or filling fails at run time."""
    filled = [entry for entry in english if "python-format" in entry.flags]
    assert filled
    for entry in filled:
        for text in translations(entry):
            assert re.sub(r"%%|%\(\w+\)[sd]", "", text).count("%") == 0, entry.msgid


def test_translations_keep_the_markup(english):
    assert [
        entry.msgid for entry in english for text in translations(entry) if tags(text) != tags(entry.msgid)
    ] == []


# --- English ---


def test_english_keeps_only_the_terms_of_the_law_in_chinese(english):
    texts = [text for entry in english for text in translations(entry)]
    assert [text for text in texts if re.search(f"[{HAN}{FULL_WIDTH}]", KEPT.sub("", text))] == []
    unused = KEPT_TERMS - {term for text in texts for term in KEPT.findall(text)}
    assert unused == set()


def test_english_quotes_do_not_end_attributes(english):
    """`{% translate %}` may stand inside an attribute, where a straight quote would end it."""
    bare = [re.sub("<[^>]*>", "", text) for entry in english for text in translations(entry)]
    assert [text for text in bare if '"' in text or "'" in text] == []


# --- Chinese ---


def test_chinese_uses_its_own_punctuation(fresh):
    half_width = re.compile(rf"[{HAN}][,;:?!()]|[,;:?!()][{HAN}]|[{HAN}]\.(?!\w)|\"")
    texts = [re.sub("<[^>]*>", "", text) for entry in fresh for text in source_texts(entry)]
    assert [text for text in texts if half_width.search(text)] == []


# A per cent sign after a figure or a place for one: %% where the string is filled with %, else %.
PER_CENT = re.compile(r"(?:\d|\)s|\})\s*%%?(?![(\w])")


def test_a_per_cent_sign_stays_on_the_line_of_its_figure(fresh):
    """LOOK: a no-break space before %. The norm's own sentences are quoted as they stand."""
    texts = {text for entry in fresh for text in source_texts(entry)} | set(texts_of_data())
    signs = [(sign, text) for text in texts for sign in PER_CENT.findall(text)]
    assert len(signs) > 3
    assert [text for sign, text in signs if sign.rstrip("%")[1:].removeprefix("s") != NBSP] == []
    assert percent_text(Fraction(4, 5)) == f"80{NBSP}%"


def texts_of_data() -> Iterator[str]:
    """What our own data files say to people: questionnaires, question bank, catalogue, privacy notices."""
    for path in sources(".yaml"):
        if "policy" not in path.parts:
            yield from strings_in(yaml.safe_load(path.read_text("utf-8")))


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


def test_chinese_says_it_plainly(fresh):
    banned = re.compile("抱歉|非法|异常|系统错误|操作失败|[！!]")
    assert [entry.msgid for entry in fresh if banned.search(entry.msgid)] == []


def test_templates_mark_every_word():
    """What is left of a template without its marked strings holds no Chinese, not even a comma."""
    found = []
    for path in sources(".html"):
        if shown(path).startswith(CHINESE_BY_PURPOSE):
            continue
        text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", path.read_text("utf-8"), flags=re.S)
        text = re.sub(r"{% blocktranslate\b.*?{% endblocktranslate %}", "", text, flags=re.S)
        text = re.sub(r"""(?:_\(|{% translate )(?:"[^"]*"|'[^']*')""", "", text)
        text = text.replace('<span class="yc-mark" aria-hidden="true">豫</span>', "")
        text = text.replace('<span class="yc-mark on-desk" aria-hidden="true">豫</span>', "")
        found += [
            f"{shown(path)}:{number}: {line.strip()[:80]}"
            for number, line in enumerate(text.splitlines(), 1)
            if re.search(f"[{HAN}{FULL_WIDTH}]", line)
        ]
    assert found == [], "mark it with {% translate %} or {% blocktranslate %}"


def chinese_constants(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [node] if re.search(f"[{HAN}{FULL_WIDTH}]", node.value) else []


def unmarked(tree: ast.AST) -> Iterator[ast.Constant]:
    """Chinese string constants that xgettext would not find and people might see."""
    unseen: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in MARKERS:
                unseen.update(map(id, chinese_constants(node)))
            case ast.Call(func=ast.Attribute(attr="partition")):
                unseen.update(map(id, chinese_constants(node)))
            case ast.keyword(arg="help_text"):  # of the API, read by programmers
                unseen.update(map(id, chinese_constants(node)))
            case ast.Expr(value=ast.Constant()):  # a docstring
                unseen.add(id(node.value))
    yield from (constant for constant in chinese_constants(tree) if id(constant) not in unseen)


def test_python_marks_every_word():
    found = []
    for path in sources(".py"):
        name = shown(path)
        if name.startswith((*CHINESE_BY_PURPOSE, "bin/", "deploy/")) or "/migrations/" in name:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        found += [f"{name}:{node.lineno}: {node.value!r}" for node in unmarked(tree)]
    assert found == [], "mark it with gettext, or add the file to CHINESE_BY_PURPOSE with its reason"


# --- at work ---


def test_pages_speak_english_when_asked():
    """By the browser's wish, and by the visitor's choice before that."""
    by_browser = Client(headers={"accept-language": "en-GB,en;q=0.9"}).get("/about/").content.decode()
    assert '<html lang="en">' in by_browser
    assert "The rules, explained" in by_browser
    assert "政策依据与说明" not in by_browser

    chosen = Client(headers={"accept-language": "en-GB,en;q=0.9"})
    chosen.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert '<html lang="zh-CN">' in chosen.get("/about/").content.decode()


def test_refusals_speak_english():
    with pytest.raises(Refusal) as refused:
        parse_hours({"live": "-3"})
    with translation.override("en"):
        body = rendered(refused.value)
    assert body["message"] == "Live: lesson hours cannot be below 0; -3 was given."
    assert body["details"]["next"] == "Enter 0 if there are none."


def test_findings_speak_english_with_their_parameters_translated():
    edition = load_editions(*settings.EDITION_DIRS)["henan-2020-97"]
    finding = judge_class_size(edition, SYB, 31)
    with translation.override("en"):
        message = finding.render(translation.gettext)["message"]
        listed = Message(gettext_noop("请在 %(modes)s 中选一种。"), {"modes": [mode.label for mode in Mode]})
        assert listed.render(translation.gettext) == (
            "Choose one of Full live (全程直播), Online + offline (线上+线下)."
        )
    assert message == (
        "Start Your Business (SYB): at most 30 a class; you have 31. Remove 1 or open another class."
    )


def test_dates_that_no_filter_writes_follow_the_language():
    """Sentences of the evidence, for one."""
    day = datetime.date(2026, 11, 23)
    assert formats.date_format(day) == "2026年11月23日"
    with translation.override("en"):
        assert formats.date_format(day) == "23 Nov 2026"


def test_djangos_own_words_are_ours():
    assert AuthenticationForm(data={}).errors["username"] == ["请填写这一项。"]
    with translation.override("en"):
        assert AuthenticationForm(data={}).errors["username"] == ["This field is required."]
