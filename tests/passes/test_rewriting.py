"""The passes together: switches, accounts, fingerprints."""

from __future__ import annotations

import pytest
from project_case import small_model
from random_networks import random_model
from rewritten_case import rewritten
from shared import shared_model

from tinyml_tool.errors import InputError
from tinyml_tool.graph.passes.registry import PASSES
from tinyml_tool.graph.passes.rewrite import rewrite
from tinyml_tool.graph.reader import parse_model, read_model


def test_without_passes_the_graph_stays_as_it_is() -> None:
    graph = parse_model(random_model(1, 5), "case")
    rewriting = rewrite(graph, tuple(PASSES))
    assert rewriting.graph is graph
    assert rewriting.passes == ()


def test_an_unknown_pass_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(InputError, match="no pass 'fold'") as caught:
        rewrite(parse_model(small_model(), "case"), ["fold"])
    assert "fold-relu" in (caught.value.hint or "")


def test_a_pass_that_is_switched_off_changes_nothing() -> None:
    graph = read_model(shared_model("vww_96_int8.tflite"))
    rewriting = rewrite(graph, ["drop-dead-channels"])
    assert rewriting.after.macs == rewriting.before.macs
    record = next(r for r in rewriting.records if r.name == "drop-dead-channels")
    assert not record.enabled
    assert not record.changes


def test_the_account_of_a_pass_spans_what_it_did() -> None:
    graph = read_model(shared_model("vww_96_int8.tflite"))
    record = next(r for r in rewrite(graph).records if r.name == "drop-dead-channels")
    assert (record.before.macs, record.after.macs) == (7_489_664, 3_733_073)
    assert (record.before.weight_bytes, record.after.weight_bytes) == (219_072, 33_374)
    assert len(record.changes) == 19


def test_running_the_passes_again_finds_nothing_more() -> None:
    for seed in range(5):
        once = rewritten(random_model(seed, 6))
        assert rewrite(once.graph).graph is once.graph


def test_the_fingerprint_tells_rewritten_graphs_apart() -> None:
    graph = read_model(shared_model("vww_96_int8.tflite"))
    first, again, without = rewrite(graph), rewrite(graph), rewrite(graph, ["drop-dead-channels"])
    assert first.fingerprint == again.fingerprint != without.fingerprint
