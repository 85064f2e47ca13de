"""The C++ files of a model that TFLM interprets."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from model_builder import ModelBuilder
from shared import shared_model
from tflm_case import SHARED, int16x8, relu, sources_of

from tinyml_tool.graph import read_model

TEMPLATES = Path(__file__).resolve().parents[2] / "firmware_templates"


def array_in(text: str) -> bytes:
    _, _, values = text.partition("= {")
    return bytes(int(number) for number in re.findall(r"\d+", values.partition("}")[0]))


@pytest.mark.parametrize("name", SHARED)
def test_the_array_is_the_model_file_byte_for_byte(name: str) -> None:
    model = shared_model(name).read_bytes()
    sources = sources_of(model)
    assert array_in(sources["lib/model/model_data.cc"]) == model
    assert f"MODEL_DATA_BYTES = {len(model)};" in sources["lib/model/model_data.h"]


def test_the_array_is_constant_and_aligned_as_tflm_requires() -> None:
    assert (
        "alignas(16) const unsigned char model_data["
        in sources_of(relu())["lib/model/model_data.cc"]
    )


def test_the_interface_is_that_of_both_engines() -> None:
    header = sources_of(relu())["lib/model/model.h"]
    assert '#define MODEL_ENGINE "tflm"' in header
    assert f'#define MODEL_HASH "{hashlib.sha256(relu()).hexdigest()}"' in header
    assert "#define MODEL_ARENA_BYTES 4096" in header


def test_inputs_and_outputs_are_described() -> None:
    text = sources_of(relu())["lib/model/model_tflm.cpp"]
    lines = re.findall(
        r'\{"(\w)",\n +(MODEL_\w+), (\d), \{([\d, ]+)\}, ([\d.]+)f, (-?\d+), (\d+)', text
    )
    expected = ("MODEL_INT8", "2", "1, 4", "0.5", "0", "4")
    assert lines == [("x", *expected), ("y", *expected)]


@pytest.mark.parametrize("name", SHARED)
def test_the_observer_has_a_record_for_each_output_of_each_layer(name: str) -> None:
    path = shared_model(name)
    graph = read_model(path)
    text = sources_of(path.read_bytes())["lib/model/model_tflm.cpp"]
    records = re.findall(r'\{(\d+), (\d+), (\d+), "(\w+)", (\d+), nullptr\},', text)
    assert records == [
        (str(op.index), str(place), str(t), op.kind, str(graph.tensors[t].bytes))
        for op in graph.operators
        for place, t in enumerate(op.outputs)
    ]


def test_the_same_model_gives_the_same_text() -> None:
    assert sources_of(int16x8()) == sources_of(int16x8())


def test_no_line_is_longer_than_100_columns() -> None:
    sources = sources_of(shared_model("kws_ref_model.tflite").read_bytes())
    assert not [line for text in sources.values() for line in text.splitlines() if len(line) > 100]


def odd() -> bytes:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5, name='x*/"\\\n#error ??/')
    y = builder.tensor("int8", (1, 4), scale=0.5, name="\u00fc")
    builder.operator("RELU", [x], y)
    return builder.build([y])


def host_compiler() -> str:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler for this computer: sudo apt-get install g++")
    return compiler


def test_no_name_can_break_the_interface_or_the_data(tmp_path: Path) -> None:
    for name, text in sources_of(odd(), 'm*/"\n#error').items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    for file in ("model_data.cc", "tflm_message.cpp"):
        command = [host_compiler(), *flags, "-include", "model.h", file]
        done = subprocess.run(
            command, cwd=tmp_path / "lib/model", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    text = (tmp_path / "lib/model/model_tflm.cpp").read_text()
    assert not re.findall(r"^#error", text, re.MULTILINE)


def test_the_plain_sources_are_formatted() -> None:
    if shutil.which("clang-format") is None:
        pytest.skip("clang-format is not installed")
    text = (TEMPLATES / "runtime" / "tflm" / "tflm_message.cpp").read_text()
    style = f"--style=file:{TEMPLATES / 'project' / 'clang-format'}"
    command = ["clang-format", style, "--assume-filename=tflm_message.cpp"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stdout == text


DRIVER = r"""
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include "tflm_message.h"
extern "C" void DebugLog(const char *format, va_list arguments);
extern "C" int DebugVsnprintf(char *buffer, size_t bytes, const char *format, va_list arguments);

static void piece(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  DebugLog(format, arguments);
  va_end(arguments);
}

static int into(char *buffer, size_t bytes, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  const int length = DebugVsnprintf(buffer, bytes, format, arguments);
  va_end(arguments);
  return length;
}

int main()
{
  std::printf("[%s]\n", tflm_message());
  piece("%d %i %u %x %c %s %p %% %5.2f", -7, 2147483647, 4000000000u, 0xbeefu, 'c', "text",
        (void *)0x10, 2.7182818);
  std::printf("[%s]\n", tflm_message());
  tflm_message_clear();
  piece("%zu %ld %lld %lu %s %f %f", (size_t)9, -5L, -9223372036854775807LL - 1, 5UL,
        (const char *)nullptr, -0.5, 1e30);
  piece("\r\n");
  piece("second");
  piece("\r\n");
  std::printf("[%s]\n", tflm_message());
  tflm_message_clear();
  for (int i = 0; i < 100; i++) {
    piece("0123456789");
  }
  std::printf("[%s]\n", tflm_message());
  tflm_message_clear();
  std::printf("[%s]\n", tflm_message());
  char small[5] = "....";
  std::printf("%d ", into(small, sizeof small, "%d", 1234567));
  std::printf("[%s]\n", small);
  std::printf("%d\n", into(nullptr, 0, "%s", "abc"));
}
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the messages' code makes of TFLM's calls, compiled with sanitizers."""
    folder = tmp_path_factory.mktemp("messages")
    (folder / "driver.cpp").write_text(DRIVER)
    source = TEMPLATES / "runtime" / "tflm"
    command = [host_compiler(), "-std=c++17", "-g", "-fsanitize=address,undefined"]
    command += ["-fno-sanitize-recover=all", f"-I{source}", str(source / "tflm_message.cpp")]
    command += ["driver.cpp", "-o", "driver"]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run([folder / "driver"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_no_message_is_empty(said: list[str]) -> None:
    assert said[0] == "[]"


def test_messages_are_formatted_as_printf_would(said: list[str]) -> None:
    assert said[1] == "[-7 2147483647 4000000000 beef c text 0x10 % 2.718]"


def test_several_messages_become_one_line(said: list[str]) -> None:
    assert said[2] == "[9 -5 -9223372036854775808 5 (null) -0.500 (large); second]"


def test_a_long_message_is_cut(said: list[str]) -> None:
    assert said[3] == "[" + ("0123456789" * 20)[:191] + "]"


def test_a_cleared_message_is_gone(said: list[str]) -> None:
    assert said[4] == "[]"


def test_formatting_into_a_small_buffer_cuts_and_tells_the_whole_length(said: list[str]) -> None:
    assert said[5] == "7 [1234]"
    assert said[6] == "3"
