"""Says what a file that is not a `.tflite` looks like, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass

_CONVERT = (
    "convert it to an int8 .tflite first (tf.lite.TFLiteConverter, full-integer quantization)"
)
_ANOTHER_FILE = "give the .tflite file itself"
_DOWNLOAD = "download the .tflite file again"


@dataclass(frozen=True)
class ForeignFormat:
    """What the bytes are ("an ONNX model"), and how to go on from there."""

    what: str
    advice: str


_MAGIC = (
    (b"\x89HDF\r\n\x1a\n", ForeignFormat("a Keras HDF5 file (.h5)", _CONVERT)),
    (b"version https://git-lfs", ForeignFormat("a Git LFS pointer", "run `git lfs pull`")),
    (b"\x7fELF", ForeignFormat("an ELF program", _ANOTHER_FILE)),
    (b"\x1f\x8b", ForeignFormat("a gzip archive", "unpack it and give the .tflite inside")),
    (b"BZh", ForeignFormat("a bzip2 archive", "unpack it and give the .tflite inside")),
    (b"\xfd7zXZ\x00", ForeignFormat("an xz archive", "unpack it and give the .tflite inside")),
    (b"7z\xbc\xaf\x27\x1c", ForeignFormat("a 7z archive", "unpack it and give the .tflite inside")),
    (b"\x93NUMPY", ForeignFormat("a NumPy array (.npy)", _ANOTHER_FILE)),
    (b"RIFF", ForeignFormat("a sound or image file (RIFF)", _ANOTHER_FILE)),
    (b"\x89PNG", ForeignFormat("a PNG image", _ANOTHER_FILE)),
    (b"\xff\xd8\xff", ForeignFormat("a JPEG image", _ANOTHER_FILE)),
    (b"%PDF", ForeignFormat("a PDF document", _ANOTHER_FILE)),
    (b"LITERTLM", ForeignFormat("a LiteRT-LM bundle", "language models are not supported")),
)


_WEB_PAGE = ForeignFormat("a web page, perhaps in place of a download", _DOWNLOAD)
_JSON = ForeignFormat("a JSON file, such as a TensorFlow.js model", _CONVERT)
_TEXT_STARTS = (
    ("<!doctype html", _WEB_PAGE),
    ("<html", _WEB_PAGE),
    ("<", ForeignFormat("an XML file, such as an OpenVINO model", _CONVERT)),
    ("{", _JSON),
    ("[", _JSON),
)


def identify(data: bytes) -> ForeignFormat | None:
    """The format that `data` (8 bytes at least) looks like; None where it is nothing known."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    if not any(data[:4096]):
        return ForeignFormat("nothing but zero bytes", _DOWNLOAD)
    if data[8:12] == b"TFL3":
        return ForeignFormat("a size-prefixed TensorFlow Lite model", "drop its first 4 bytes")
    if data[4:7] == b"TFL":
        return ForeignFormat("a TensorFlow Lite model of an old format", "convert it again")
    if data[4:6] == b"ET":
        return ForeignFormat("an ExecuTorch program (.pte)", _CONVERT)
    return _archive(data) or _pickle(data) or _protobuf(data) or _text(data)


def _archive(data: bytes) -> ForeignFormat | None:
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if b"model.weights.h5" in data or b"metadata.json" in data[:4096]:
        return ForeignFormat("a Keras model (.keras)", _CONVERT)
    if b"data.pkl" in data[:4096] or b"constants.pkl" in data:
        return ForeignFormat("a PyTorch model (.pt)", _CONVERT)
    if b".npy" in data[:4096]:
        return ForeignFormat("NumPy arrays (.npz)", _ANOTHER_FILE)
    return ForeignFormat("a zip archive", "unpack it and give the .tflite inside")


def _pickle(data: bytes) -> ForeignFormat | None:
    if data[0] == 0x80 and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return ForeignFormat("a Python pickle (an old PyTorch or scikit-learn model)", _CONVERT)
    return None


def _protobuf(data: bytes) -> ForeignFormat | None:
    """Recognise the first fields: a version number, then a nested message or a text."""
    if data[:3] == b"\x08\x01\x12":
        return ForeignFormat("a TensorFlow SavedModel (saved_model.pb)", _CONVERT)
    if data[0] == 0x08 and 3 <= data[1] <= 32 and data[2:3] in (b"\x12", b"\x1a", b"\x3a", b"\x42"):
        return ForeignFormat("an ONNX model", _CONVERT)
    if data[0] == 0x0A and b"Placeholder" in data[:4096]:
        return ForeignFormat("a frozen TensorFlow graph (.pb)", _CONVERT)
    return None


def _text(data: bytes) -> ForeignFormat | None:
    try:
        # A character may be cut at the end of the piece.
        text = data[:4096].decode("utf-8", errors="strict" if len(data) < 4096 else "ignore")
    except UnicodeDecodeError:
        return None
    if any(not (char.isprintable() or char in "\t\r\n\f\ufeff") for char in text):
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if "0x" in text and ("char" in text or "uint8_t" in text or "{" in text):
        return ForeignFormat(
            "C source with the model as an array", "give the .tflite file that it was made from"
        )
    for prefix, found in _TEXT_STARTS:
        if start.startswith(prefix):
            return found
    return ForeignFormat("a text file", _ANOTHER_FILE)
