"""The beginnings of files that people take for a `.tflite`, by what they are."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np


def _archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, "content")
    return file.getvalue()


def _array_file() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


FOREIGN_FILES = {
    "ONNX model": b"\x08\x08\x12\x07pytorch\x1a\x052.3.0:\x80\x01",
    "TensorFlow SavedModel": b"\x08\x01\x12\xc2\x04\x0a\x10\x0a\x0e",
    "frozen TensorFlow graph": b"\x0a\x20\x0a\x05input\x12\x0bPlaceholder" + b"\x00" * 9,
    "Keras HDF5": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "Keras model": _archive("metadata.json", "config.json", "model.weights.h5"),
    "PyTorch model": _archive("net/data.pkl", "net/data/0"),
    "NumPy arrays": _archive("weights.npy"),
    "NumPy array (.npy)": _array_file(),
    "zip archive": _archive("model.bin"),
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
