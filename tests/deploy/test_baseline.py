"""Instructions and bytes do not get worse unless `benchmarks/baseline.json` says so."""

import importlib.util
import sys
from pathlib import Path

import pytest
from shared import shared_model

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "baseline.py"
SPEC = importlib.util.spec_from_file_location("baseline", SCRIPT)
baseline = importlib.util.module_from_spec(SPEC)
sys.modules["baseline"] = baseline
SPEC.loader.exec_module(baseline)

COMPILER, COSTS = baseline.read()
CASES = [(model, board) for model, boards in COSTS.items() for board in boards]
QUICK = [("digits", "qemu-m4"), ("kws_ref_model", "qemu-m4"), ("ad01_int8", "qemu-m4")]


def model_file(model: str) -> Path:
    return baseline.DIGITS if model == "digits" else shared_model(f"{model}.tflite")


def assert_not_worse(model: str, board: str) -> None:
    cost, compiler = baseline.measure(model_file(model), board)
    if compiler != COMPILER:
        pytest.skip(f"the baseline was measured with GCC {COMPILER}, this is {compiler}")
    known = COSTS[model][board]
    for name in ("instructions", "flash_bytes", "arena_bytes"):
        new, old = getattr(cost, name), getattr(known, name)
        assert new <= old, (
            f"{model} on {board}: {name} rose from {old:,} to {new:,}; if that is meant, "
            f"run `python benchmarks/baseline.py --models FOLDER --only {model}` and commit "
            "benchmarks/baseline.json with the change that costs it"
        )


@pytest.mark.parametrize(("model", "board"), QUICK)
def test_no_count_gets_worse(model: str, board: str) -> None:
    assert_not_worse(model, board)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "board"), [case for case in CASES if case not in QUICK])
def test_no_count_of_any_model_and_core_gets_worse(model: str, board: str) -> None:
    assert_not_worse(model, board)


def measure_only_ad(monkeypatch, tmp_path: Path, compiler: str) -> dict[str, dict[str, object]]:
    written = tmp_path / "baseline.json"
    written.write_text(baseline.FILE.read_text())
    monkeypatch.setattr(baseline, "FILE", written)
    monkeypatch.setattr(baseline, "measure", lambda *_: (baseline.Cost(1, 2, 3), compiler))
    monkeypatch.setattr(sys, "argv", ["baseline", "--models", str(tmp_path), "--only", "ad01_int8"])
    baseline.main()
    return baseline.read()[1]


def test_measuring_one_model_keeps_what_is_known_of_the_others(monkeypatch, tmp_path) -> None:
    costs = measure_only_ad(monkeypatch, tmp_path, COMPILER)
    assert set(costs.pop("ad01_int8").values()) == {baseline.Cost(1, 2, 3)}
    assert costs == {model: cost for model, cost in COSTS.items() if model != "ad01_int8"}


def test_counts_of_two_compilers_are_not_mixed(monkeypatch, tmp_path) -> None:
    with pytest.raises(SystemExit):
        measure_only_ad(monkeypatch, tmp_path, "0.1")
    assert baseline.read() == (COMPILER, COSTS)
