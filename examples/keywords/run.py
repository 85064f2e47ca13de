"""Which word was said?  Synthesised speech, features made by the board itself, a proven model."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import ALL, FEW, record
from deployment import quantize_and_deploy
from outcome import Outcome
from raw_samples import RawSamples
from stage import Stage, run_as_script

import tinyml_tool as tt
from tinyml_tool.api.train import Trained

ARCHITECTURE = "ds_cnn:width=0.375,depth=3,kernel=10x4"
SETTINGS = tt.TrainSettings(epochs=40, augmentation=tt.Augmentation(shift=2))
SMALL = tt.TrainSettings(epochs=4)
FEATURES = Path(__file__).resolve().parent / "features.toml"


def whole_way(stage: Stage) -> Outcome:
    words = stage.folder / "words"
    with stage.progress("recording synthesised words") as progress:
        record(words, FEW if stage.small else ALL, progress)
    with stage.progress("training") as progress:
        trained = tt.train(
            words,
            arch=ARCHITECTURE,
            output=stage.folder / "model",
            settings=SMALL if stage.small else SETTINGS,
            features=FEATURES,
            force=True,
            progress=progress,
        )
    return quantize_and_deploy(stage, trained, test_recordings(words, trained))


def test_recordings(words: Path, trained: Trained) -> RawSamples:
    """The WAV files of the test, as a microphone would give them."""
    classes = trained.record["classes"]
    files = sorted((words / "test").rglob("*.wav"))
    return RawSamples(tuple(files), tuple(classes.index(file.parent.name) for file in files))


if __name__ == "__main__":
    run_as_script("keywords", __doc__, whole_way)
