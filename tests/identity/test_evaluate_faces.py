"""`manage.py evaluate_faces`: the numbers behind the bands, from anybody's pictures."""

import csv
import shutil
from io import StringIO
from itertools import combinations
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from identity.faces import get_engine
from identity.faces.evaluation import Rates, Scores, rates
from tests.identity import pictures


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Every pair of the six portraits, and one that cannot be compared."""
    names = sorted(file.name for file in pictures.FACES.glob("*.jpg"))
    for name in names:
        shutil.copy(pictures.FACES / name, tmp_path)
    (tmp_path / "nobody.jpg").write_bytes(pictures.landscape())
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["first", "second", "same"])
        for a, b in combinations(names, 2):
            writer.writerow([a, b, int(a.startswith("person") and a[:8] == b[:8])])
        writer.writerow(["nobody.jpg", names[0], 0])
        writer.writerow(["person_a_1.jpg|person_a_2.jpg", "person_a_2.jpg", 1])
    return tmp_path / "pairs.csv"


def run(path: Path, **options: object) -> list[str]:
    out = StringIO()
    call_command("evaluate_faces", pairs=path, stdout=out, **options)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("engine", ["sface", "dlib"])
def test_the_configured_bands_hold_on_the_portraits(pairs, engine):
    lines = run(pairs, engine=engine)
    policy = get_engine(engine).policy
    assert lines[0] == f"引擎 {get_engine(engine).engine_id}：同一人 3 对，不同人 13 对"
    assert lines[1] == "没有比较，no_face：1 对"
    assert f"{policy.grey_permille} 0% 0% 从这里起由人来看" in lines
    accepting = next(line for line in lines if line.endswith("从这里起通过"))
    assert accepting.split()[2] == "0%"


def test_a_threshold_counts_its_own_score_as_accepted():
    scores = Scores(genuine=(449, 450, 700), impostor=(100, 450), unusable={})
    assert rates(scores, [450, 451]) == [Rates(450, 1, 3, 1, 2), Rates(451, 2, 3, 0, 2)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\n", "的列应为"),
        ("first,second,same\nperson_a_1.jpg,person_a_2.jpg,yes\n", "第 2 行"),
        ("first,second,same\nmissing.jpg,person_a_2.jpg,1\n", "打不开"),
    ],
)
def test_a_wrong_file_is_named(pairs, content, message):
    pairs.write_text(content)
    with pytest.raises(CommandError, match=message):
        run(pairs)
