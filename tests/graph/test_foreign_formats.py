"""A file of another kind is recognised by its content, and the way on is told."""

import pytest
from foreign_files import FOREIGN_FILES

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph.reader import parse_model


@pytest.mark.parametrize("what", FOREIGN_FILES)
def test_a_foreign_file_is_called_by_its_name(what: str) -> None:
    with pytest.raises(InvalidModelError, match=r"not a \.tflite model") as caught:
        parse_model(FOREIGN_FILES[what], "model")
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
