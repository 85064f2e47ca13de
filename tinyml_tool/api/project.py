"""A generated project that was read back: its manifest, its board and its model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tinyml_tool.api.answer_source import chosen_answer
from tinyml_tool.api.engines import target_of
from tinyml_tool.api.feature_source import chosen_features
from tinyml_tool.api.model_source import ModelSource, load_project_model
from tinyml_tool.boards import Board
from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.config import FILE_NAME, read_config
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.manifest import Manifest, read_manifest
from tinyml_tool.firmware.project_board import project_board
from tinyml_tool.graph.passes.registry import PASSES
from tinyml_tool.graph.passes.rewrite import Rewriting, rewrite, unchanged
from tinyml_tool.graph.passes.split_rows import SPLIT_ROWS
from tinyml_tool.preprocess.answer_spec import AnswerSpec, answer_hash
from tinyml_tool.preprocess.spec import FeatureSpec, features_hash


@dataclass(frozen=True, eq=False)
class Project:
    """A project on disk."""

    folder: Path
    manifest: Manifest
    board: Board
    source: ModelSource
    rewriting: Rewriting
    """What the firmware computes, beside the model it was made of."""
    features: FeatureSpec | None = None
    """How raw samples become the model's input: what tinyml.toml and the model say."""
    answer: AnswerSpec | None = None
    """What the model's outputs mean: what tinyml.toml and the model say."""

    @property
    def features_hash(self) -> str | None:
        """The hash that the firmware must tell."""
        return features_hash(self.features) if self.features is not None else None

    @property
    def answer_hash(self) -> str | None:
        """The hash of the answer spec that the firmware must tell."""
        return answer_hash(self.answer) if self.answer is not None else None


def open_project(folder: str | Path) -> Project:
    """Read the generated project in `folder`.

    Raises InputError where there is none, or one that another version of the passes made;
    InvalidModelError where its model is another one than the one it was generated from;
    UnknownBoardError or InputError for a board that is not known;
    ConfigError where `[features]` or `[answer]` are wrong or not the model's.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    config = read_config(path / FILE_NAME).config
    source = load_project_model(path, config.project.model, manifest.model_sha256)
    board = project_board(path, manifest)
    rewriting = _rewriting(path, manifest, source, board)
    spec = chosen_features(source.data, source.graph.name, config.features)
    answer = chosen_answer(source.data, source.graph.name, config.answer)
    return Project(path, manifest, board, source, rewriting, spec, answer)


def network_alone(folder: str | Path) -> Project:
    """The project in `folder`, which was written without the features and answers of its model."""
    return replace(open_project(folder), features=None, answer=None)


def _rewriting(path: Path, manifest: Manifest, source: ModelSource, board: Board) -> Rewriting:
    """The graph passes as they ran when the project was generated."""
    if manifest.passes is None:
        return unchanged(source.graph)
    rewriting = rewrite(source.graph, set(PASSES) - set(manifest.passes))
    if SPLIT_ROWS in rewriting.passes:
        # Which layers run in bands of rows is known only when the kernels are.
        plan = compile_rewritten(rewriting, target_of(manifest, board))
        rewriting = plan.rewriting or rewriting
    if rewriting.fingerprint != manifest.graph or set(manifest.passes) - set(PASSES):
        raise InputError(
            f"{path}: the graph passes of this version leave another graph than those that the "
            "project was generated with",
            hint="generate the project again with `tinyml generate`",
        )
    return rewriting
