"""`tinyml deploy MODEL`."""

from __future__ import annotations

import typer

from tinyml_tool.cli.options import (
    ArenaInOption,
    ArenaOption,
    BoardOption,
    EmulatorOption,
    EngineOption,
    ForceOption,
    InputOption,
    Json,
    MlperfOption,
    ModelArgument,
    NameOption,
    NoPassOption,
    OptimizeOption,
    OutputOption,
    PortOption,
    Quiet,
    SeedOption,
    SystemOption,
    TimeLimitOption,
    TuneOption,
    VectorsOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("deploy")
    def deploy_command(
        model: ModelArgument = None,
        board: BoardOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        tune: TuneOption = False,
        output: OutputOption = None,
        name: NameOption = None,
        arena: ArenaOption = None,
        arena_in: ArenaInOption = None,
        no_pass: NoPassOption = None,
        mlperf: MlperfOption = None,
        force: ForceOption = False,
        inputs: InputOption = None,
        vectors: VectorsOption = None,
        seed: SeedOption = None,
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Generate, build, run and validate in one: from a model to a verdict.

        With --port a real board is flashed and asked, instead of an emulator.

        Examples: `tinyml deploy kws.tflite` · `tinyml deploy kws.tflite --board netduinoplus2
        --output kws --json` · `tinyml deploy kws.tflite --board nano33ble --port nano33ble`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.deploy import deploy
            from tinyml_tool.cli.settings import read_settings
            from tinyml_tool.cli.verdict import verdict

            settings = read_settings(model)
            verify = settings.config.verify
            chosen_engine = settings.engine(engine and engine.value)
            evidence = deploy(
                settings.model,
                board=settings.board(board),
                engine=chosen_engine,
                optimize=settings.optimize(optimize, chosen_engine),
                output=settings.output(output),
                name=name or settings.config.project.name,
                force=force,
                arena_bytes=settings.arena_bytes(arena, chosen_engine),
                without_passes=settings.without_passes(no_pass, chosen_engine),
                mlperf=settings.mlperf(mlperf),
                features=settings.config.features,
                answer=settings.config.answer,
                source=settings.config.source,
                inputs=inputs or (),
                vectors=verify.vectors if vectors is None else vectors,
                seed=verify.seed if seed is None else seed,
                port=port,
                emulator=emulator.value if emulator else None,
                system=settings.system(system and system.value),
                time_limit=timeout,
                tune=tune,
                arena_in=settings.arena_in(arena_in),
                progress=progress,
            )
            return verdict(settings.model.name, evidence)

        run_command("deploy", act, json=json, quiet=quiet)
