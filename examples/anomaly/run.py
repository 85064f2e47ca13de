"""Is something wrong?  An autoencoder that knows only what is normal, proven on a board."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import read_pressure, write_raw_pressure, write_windows
from deployment import quantize_and_deploy
from outcome import Outcome
from stage import Stage, run_as_script

import tinyml_tool as tt

ARCHITECTURE = "autoencoder:width=0.25,depth=1,bottleneck=4"
# Of ten settings the one with the least error on the normal validation windows; see README.md.
VARIED = tt.Augmentation(noise=0.05)
SETTINGS = tt.TrainSettings(epochs=200, augmentation=VARIED)
SMALL = tt.TrainSettings(epochs=4, augmentation=VARIED)
FEATURES = Path(__file__).resolve().parent / "features.toml"


def answer_of(model: Path) -> dict[str, Any]:
    """The table `[answer]`: the error that 5 % of the normal validation windows exceed."""
    figures = tt.evaluate(model).host.anomaly
    assert figures is not None, "it gives back its input"
    return {"kind": "anomaly", "threshold": figures.threshold.value}


def whole_way(stage: Stage) -> Outcome:
    with stage.progress("data") as progress:
        pressure, anomalous = read_pressure(progress)
    windows = stage.folder / "windows.npz"
    write_windows(windows, pressure, anomalous)
    raw = write_raw_pressure(stage.folder / "test.csv", pressure)
    with stage.progress("training") as progress:
        trained = tt.train(
            windows,
            arch=ARCHITECTURE,
            output=stage.folder / "model",
            settings=SMALL if stage.small else SETTINGS,
            features=FEATURES,
            scaling="standardize",
            normal="normal",
            force=True,
            progress=progress,
        )
    return quantize_and_deploy(stage, trained, raw, answer_of)


if __name__ == "__main__":
    run_as_script("anomaly", __doc__, whole_way)
