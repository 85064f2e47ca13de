"""A file of another kind is recognised by its content, and the way on is told."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph.reader import parse_model


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, "content")
    return file.getvalue()


def array_file() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


CASES = {
    "ONNX model": b"\x08\x08\x12\x07pytorch\x1a\x052.3.0:\x80\x01",
    "TensorFlow SavedModel": b"\x08\x01\x12\xc2\x04\x0a\x10",
    "frozen TensorFlow graph": b"\x0a\x20\x0a\x05input\x12\x0bPlaceholder" + b"\x00" * 9,
    "Keras HDF5": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "Keras model": archive("metadata.json", "config.json", "model.weights.h5"),
    "PyTorch model": archive("net/data.pkl", "net/data/0"),
    "NumPy arrays": archive("weights.npy"),
    "NumPy array (.npy)": array_file(),
    "zip archive": archive("model.bin"),
    "Python pickle": pickle.dumps({"weights": [1, 2]}, protocol=4),
    "ExecuTorch program": b"\x30\x00\x00\x00ET12" + b"\x01" * 30,
    "C source": b"const unsigned char g_model[] = {\n  0x1c, 0x00, 0x00, 0x00, 0x54,\n};\n",
    "web page": b"<!DOCTYPE html><html><body>404</body></html>",
    "XML file": b'<?xml version="1.0"?><net name="x"></net>',
    "JSON file": json.dumps({"format": "graph-model"}).encode(),
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
    "text file": "Modèle de reconnaissance\n".encode(),
    "gzip archive": b"\x1f\x8b\x08\x00" + bytes(20),
    "ELF program": b"\x7fELF\x01\x01\x01" + bytes(20),
    "PNG image": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "sound or image": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "zero bytes": bytes(64),
    "old format": b"\x10\x00\x00\x00TFL2" + b"\x01" * 16,
    "size-prefixed": b"\x10\x00\x00\x00\x1c\x00\x00\x00TFL3" + b"\x01" * 16,
}


@pytest.mark.parametrize("what", CASES)
def test_a_foreign_file_is_called_by_its_name(what: str) -> None:
    with pytest.raises(InvalidModelError, match=r"not a \.tflite model") as caught:
        parse_model(CASES[what], "model")
    assert what in caught.value.message
    assert caught.value.hint


def test_long_text_cut_inside_a_character_is_still_text() -> None:
    with pytest.raises(InvalidModelError, match="text file"):
        parse_model(b"a" + "é".encode() * 4096, "model")


def test_unknown_bytes_are_shown() -> None:
    with pytest.raises(InvalidModelError, match=r"bytes 4 to 7 are b'\\xfe\\xfd\\xfc\\xfb'"):
        parse_model(b"\xff\x01\x02\x03\xfe\xfd\xfc\xfb\x00\x01", "model")


@pytest.mark.parametrize("count", range(1, 8))
def test_a_few_bytes_are_too_few(count: int) -> None:
    with pytest.raises(InvalidModelError, match=f"{count} bytes are too few"):
        parse_model(b"\x1c\x01\x02\x03TFL"[:count], "model")
