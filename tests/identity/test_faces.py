"""Both engines on real portraits: who is accepted, who is refused, and which pictures cannot be used."""

import subprocess
import sys

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from PIL import ImageFile

from identity.faces import get_engine, judging, sface
from identity.faces.pictures import MAX_BYTES, MAX_FRAMES, WORKING_WIDTH, check_frames, read_picture
from identity.faces.port import FaceEngine, FacePolicy, Vector
from identity.faces.problems import PROBLEMS
from policy.refusals import Refusal
from tests.identity import pictures
from tests.identity.pictures import burst, portrait

EVERYONE = ["person_a_1", "person_a_2", "person_b_1", "person_b_2", "impostor_1", "impostor_2"]


@pytest.fixture(params=["sface", "dlib"])
def engine(request: pytest.FixtureRequest) -> FaceEngine:
    return get_engine(request.param)


def vectors_of(engine: FaceEngine, name: str) -> tuple[Vector, ...]:
    return judging.read_burst(engine, [portrait(name)]).vectors


def outcome(engine: FaceEngine, enrolled: str, shown: str) -> str:
    known = vectors_of(engine, enrolled)
    return judging.judge(engine, shown=judging.read_burst(engine, [portrait(shown)]), enrolled=known).outcome


def test_the_same_person_years_later_is_accepted(engine):
    assert outcome(engine, "person_b_1", "person_b_2") == "accept"


def test_sface_accepts_eleven_years_and_a_thumbnail_and_dlib_leaves_them_to_a_person():
    assert outcome(get_engine("sface"), "person_a_1", "person_a_2") == "accept"
    assert outcome(get_engine("dlib"), "person_a_1", "person_a_2") == "grey"


@pytest.mark.parametrize("enrolled", ["person_a_2", "person_b_1"])
def test_everybody_else_is_rejected(engine, enrolled):
    strangers = [name for name in EVERYONE if not name.startswith(enrolled[:8])]
    assert {name: outcome(engine, enrolled, name) for name in strangers} == dict.fromkeys(strangers, "reject")


def test_dlib_never_accepts_at_its_customary_distance():
    policy = get_engine("dlib").policy
    assert policy.outcome(judging.permille(1 - 0.6)) == "reject"
    assert policy.outcome(judging.permille(1 - 0.5)) == "grey"


def test_engines_keep_their_vectors_apart():
    sface_engine, dlib_engine = get_engine("sface"), get_engine("dlib")
    assert sface_engine.engine_id != dlib_engine.engine_id
    assert get_engine("sface") is sface_engine
    with pytest.raises(ImproperlyConfigured, match="sface, dlib"):
        get_engine("eigenfaces")


@pytest.mark.parametrize(
    ("score", "expected"), [(1000, "accept"), (450, "accept"), (449, "grey"), (300, "grey"), (299, "reject")]
)
def test_bands_include_their_lower_bound(score, expected):
    assert FacePolicy(accept_permille=450, grey_permille=300, least_face_px=48).outcome(score) == expected


@pytest.mark.parametrize(("score", "expected"), [(0.4499999, 449), (-0.0001, -1), (1.2, 1000), (-3.0, -1000)])
def test_scores_are_cut_down_never_rounded_up(score, expected):
    assert judging.permille(score) == expected


def test_vectors_survive_packing(engine):
    vectors = vectors_of(engine, "person_b_1")
    packed = judging.pack(vectors)
    assert len(packed) == 512
    assert np.array_equal(judging.unpack(packed)[0], vectors[0])


def test_the_score_of_a_burst_is_the_mean_over_all_pairs():
    engine = get_engine("sface")
    enrolled = judging.read_burst(engine, burst("person_b_1", 2))
    shown = judging.read_burst(engine, burst("person_b_2", 3))
    pairs = [engine.compare(a, b) for a in shown.vectors for b in enrolled.vectors]
    judgement = judging.judge(engine, shown=shown, enrolled=enrolled.vectors)
    assert judgement.score_permille == judging.permille(sum(pairs) / len(pairs))
    nearest = max(range(3), key=lambda i: sum(engine.compare(shown.vectors[i], b) for b in enrolled.vectors))
    assert judgement.best_frame == nearest


def test_a_picture_taken_on_its_side_is_turned_upright(engine):
    upright = vectors_of(engine, "person_b_1")[0]
    turned = judging.read_burst(engine, [pictures.lying("person_b_1")]).vectors[0]
    assert engine.policy.outcome(judging.permille(engine.compare(upright, turned))) == "accept"


def refused(engine: FaceEngine, *frames: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        judging.read_burst(engine, frames)
    assert caught.value.next_step
    assert caught.value.citation
    return caught.value


def test_a_picture_without_a_face(engine):
    assert refused(engine, pictures.landscape()).code == "no_face"


def test_a_picture_of_two_people(engine):
    refusal = refused(engine, pictures.two_people("person_b_1", "impostor_2"))
    assert (refusal.code, refusal.found, refusal.required) == ("several_faces", 2, 1)


def test_a_second_person_in_one_frame_spoils_the_burst(engine):
    frames = [portrait("person_b_1"), pictures.two_people("person_b_1", "impostor_2")]
    assert refused(engine, *frames).code == "several_faces"


def test_a_small_face_in_the_background_does_not_matter(engine):
    found = judging.read_burst(engine, [pictures.two_people("person_b_1", "impostor_2", share=0.4)])
    assert len(found.vectors) == 1


def test_a_face_in_the_dark(engine):
    refusal = refused(engine, pictures.dark("person_b_1"))
    assert refusal.code == "image_too_dark"
    assert int(str(refusal.found)) < int(str(refusal.required))


def test_a_face_too_far_away():
    assert refused(get_engine("sface"), pictures.far_away("person_b_1")).code == "face_too_small"
    assert refused(get_engine("dlib"), pictures.far_away("person_b_1")).code == "no_face"


def test_two_people_taking_turns_are_not_one_person(engine):
    assert refused(engine, portrait("person_b_1"), portrait("impostor_1")).code == "frames_differ"


def test_bad_frames_of_a_burst_are_left_out(engine):
    found = judging.read_burst(
        engine, [pictures.landscape(), *burst("person_b_1", 2), pictures.dark("person_b_1")]
    )
    assert found.indices == (1, 2)


def test_the_commonest_problem_is_told(engine):
    frames = [pictures.landscape(), pictures.dark("person_b_1"), pictures.dark("person_b_2")]
    assert refused(engine, *frames).code == "image_too_dark"


def code_of(*frames: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        check_frames(frames)
    assert caught.value.code in PROBLEMS
    return caught.value.code


def test_what_is_no_picture_is_refused_before_it_is_decoded():
    assert code_of() == "frames_missing"
    assert code_of(*[portrait("person_a_1")] * (MAX_FRAMES + 1)) == "frames_too_many"
    assert code_of(b"") == "image_unreadable"
    assert code_of(b"GIF89a" + bytes(100)) == "image_unreadable"
    assert code_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "image_unreadable"
    assert code_of(bytes(MAX_BYTES + 1)) == "image_too_big"
    assert code_of(pictures.jpeg(pictures.opened("person_a_1").resize((60, 80)))) == "image_too_small"


@pytest.mark.parametrize("side", [6_000, 20_000, 60_000])
def test_a_decompression_bomb_is_refused_from_its_header(side):
    assert code_of(pictures.png_that_claims(side, side)) == "image_too_big"


def test_a_picture_that_stops_in_the_middle_is_unreadable():
    # face_recognition makes Pillow accept such pictures in the whole process; our import undoes that.
    get_engine("dlib")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    with pytest.raises(Refusal) as caught:
        read_picture(portrait("person_b_1")[:40_000])
    assert caught.value.code == "image_unreadable"


def test_pictures_come_out_at_working_size():
    large = pictures.jpeg(pictures.opened("person_b_1").resize((3024, 4032)))
    assert read_picture(large).shape == (round(4032 * WORKING_WIDTH / 3024), WORKING_WIDTH, 3)
    assert read_picture(portrait("person_a_1")).shape == (244, 204, 3)


def test_a_grey_png_with_transparency_is_read():
    image = pictures.opened("person_b_1").convert("LA")
    import io

    data = io.BytesIO()
    image.save(data, "PNG")
    assert len(judging.read_burst(get_engine("sface"), [data.getvalue()]).vectors) == 1


def test_another_network_file_does_not_start():
    with pytest.raises(ImproperlyConfigured, match="not the file that was measured"):
        sface.model_file(sface.DETECTOR[0], sface.RECOGNISER[1])


def test_a_missing_pkg_resources_is_an_error_and_never_a_silent_exit():
    """Without it, `import face_recognition` calls quit() and the process ends with exit code 0."""
    program = (
        "import sys; sys.modules['pkg_resources'] = None\n"
        "from identity.faces.dlib_engine import DlibEngine\n"
        "from django.core.exceptions import ImproperlyConfigured\n"
        "try: DlibEngine()\n"
        "except ImproperlyConfigured as error: print('refused:', error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused: FACE_ENGINE=dlib needs dlib-bin")
