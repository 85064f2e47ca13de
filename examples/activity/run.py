"""What is the wearer of a smartwatch doing?  From data to a proven int8 model on a board."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import motion_features, read_motions, write_raw_motions
from deployment import quantize_and_deploy
from outcome import Outcome
from stage import Stage, run_as_script

import tinyml_tool as tt

ARCHITECTURE = "conv1d:width=0.5"
SETTINGS = tt.TrainSettings(epochs=40)
SMALL = tt.TrainSettings(epochs=8, learning_rate=0.01)


def whole_way(stage: Stage) -> Outcome:
    with stage.progress("data") as progress:
        motions = read_motions(progress)
    raw = write_raw_motions(stage.folder / "test.csv", motions)
    features = tt.Features(tt.load_features(motion_features(motions)))
    with stage.progress("training") as progress:
        trained = tt.train(
            motions,
            arch=ARCHITECTURE,
            output=stage.folder / "model",
            settings=SMALL if stage.small else SETTINGS,
            features=features,
            features_record=features.record,
            force=True,
            progress=progress,
        )
    return quantize_and_deploy(stage, trained, features, raw)


if __name__ == "__main__":
    run_as_script("activity", __doc__, whole_way)
