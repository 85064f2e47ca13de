"""What is the wearer of a smartwatch doing?  From data to a proven int8 model on a board."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import read_motions, write_raw_motions
from deployment import quantize_and_deploy
from outcome import Outcome
from stage import Stage, run_as_script

import tinyml_tool as tt

ARCHITECTURE = "conv1d:width=0.5"
SETTINGS = tt.TrainSettings(epochs=40)
SMALL = tt.TrainSettings(epochs=8, learning_rate=0.01)
FEATURES = Path(__file__).resolve().parent / "features.toml"


def whole_way(stage: Stage) -> Outcome:
    with stage.progress("data") as progress:
        motions = read_motions(progress)
    raw = write_raw_motions(stage.folder / "test.csv", motions)
    with stage.progress("training") as progress:
        trained = tt.train(
            motions,
            arch=ARCHITECTURE,
            output=stage.folder / "model",
            settings=SMALL if stage.small else SETTINGS,
            features=FEATURES,
            scaling="standardize",
            force=True,
            progress=progress,
        )
    return quantize_and_deploy(stage, trained, raw)


if __name__ == "__main__":
    run_as_script("activity", __doc__, whole_way)
