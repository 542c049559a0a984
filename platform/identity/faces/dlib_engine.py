"""The second engine: `face_recognition` (dlib), with its 5-point predictor and bands of its own.

Its customary distance of 0.6 falsely accepts one pair of Chinese strangers in five and is not used here
(docs/decisions/0004-face-engines.md). The 68-point predictor, which may not be used in a commercial
product, is never called.
"""

import warnings
from importlib import import_module
from threading import Lock
from types import ModuleType

import numpy as np
from django.core.exceptions import ImproperlyConfigured
from PIL import ImageFile

from identity.faces.port import Face, FacePolicy, Picture, Vector

PREDICTOR = "small"  # five points


class DlibEngine:
    engine_id = "hog-640.dlibresnet1-5pt"
    # Score = 1 - distance. Measured on Chinese faces: distance 0.5 accepts 2.9 % of impostors and rejects
    # 1.7 % of genuine pairs, 0.6 accepts 20.2 %. Nothing is accepted unseen above 0.38 (0.1 % expected from
    # the two points' normal tail), and a person sees what lies between 0.38 and 0.55. The detector finds no
    # face below 80 px.
    policy = FacePolicy(accept_permille=620, grey_permille=450, least_face_px=80)

    def __init__(self) -> None:
        self._library = _face_recognition()
        self._lock = Lock()

    def detect(self, image: Picture) -> list[Face]:
        with self._lock:
            boxes = self._library.face_locations(image, number_of_times_to_upsample=0, model="hog")
        faces = [Face(left, top, right - left, bottom - top) for top, right, bottom, left in boxes]
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def embed(self, image: Picture, face: Face) -> Vector:
        box = (face.top, face.left + face.width, face.top + face.height, face.left)
        with self._lock:
            vectors = self._library.face_encodings(image, known_face_locations=[box], model=PREDICTOR)
        return np.asarray(vectors[0], dtype=np.float32)

    def compare(self, a: Vector, b: Vector) -> float:
        """1 minus the Euclidean distance: 1 for the same picture, below 0 for the most different."""
        return 1.0 - float(np.linalg.norm(a - b))


def _face_recognition() -> ModuleType:
    """Import face_recognition without its surprises.

    Without pkg_resources (setuptools 82 removed it) the import calls quit(), which ends the process with
    exit code 0; and it switches Pillow to accepting truncated pictures, for the whole process.
    """
    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources announces its own removal
            import_module("pkg_resources")  # asked first, so that quit() is never reached
            library = import_module("face_recognition")
    except (ImportError, SystemExit) as error:
        raise ImproperlyConfigured(
            "FACE_ENGINE=dlib needs dlib-bin, face-recognition, face-recognition-models and setuptools<82"
        ) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated
    return library
