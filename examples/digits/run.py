"""Which digit is it?  From pictures to a proven int8 model on a board: what `make demo` runs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from dataset import Samples, load_samples
from deployment import quantize_and_deploy
from numpy.typing import NDArray
from outcome import Outcome
from picture_files import write_pictures, write_raw_pictures
from pictures import draw
from rich.columns import Columns
from rich.console import Group
from rich.text import Text
from stage import Stage, run_as_script

import tinyml_tool as tt

# Chosen on thirds of the training pictures, each left out once; see README.md.
ARCHITECTURE = "cnn:width=3,depth=2,dropout=0.3"
VARIED = tt.Augmentation(shift=1, noise=0.1)
SETTINGS = tt.TrainSettings(epochs=100, augmentation=VARIED)
SMALL = tt.TrainSettings(epochs=6, learning_rate=0.01, augmentation=VARIED)
FEATURES = Path(__file__).resolve().parent / "features.toml"
SHOWN = 8
"""Pictures drawn in the terminal."""
ASKED = 60
"""Pictures that they are chosen from."""


def whole_way(stage: Stage) -> Outcome:
    pictures = stage.folder / "pictures.npz"
    write_pictures(pictures, small=stage.small)
    raw = write_raw_pictures(stage.folder / "test.raw", small=stage.small)
    with stage.progress("training") as progress:
        trained = tt.train(
            pictures,
            arch=ARCHITECTURE,
            output=stage.folder / "model",
            settings=SMALL if stage.small else SETTINGS,
            features=FEATURES,
            force=True,
            progress=progress,
        )
    outcome = quantize_and_deploy(stage, trained, raw)
    _, test = load_samples()
    asked = Samples(test.images[:ASKED], test.labels[:ASKED])
    with stage.progress("asking the board for some digits"):
        answers = answers_of_device(stage.project, asked)
    colours = stage.console.color_system in ("256", "truecolor")
    stage.console.print(gallery(asked, answers, colours=colours))
    return outcome


def answers_of_device(project: Path, samples: Samples) -> NDArray[np.int64]:
    """Run pictures on the device; the class with the highest score is its answer."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pictures.npy"
        np.save(file, samples.images)
        result = tt.run(project, inputs=[file])
    return np.array([int(outputs[0].values.argmax()) for outputs in result.outputs])


def gallery(samples: Samples, answers: NDArray[np.int64], *, colours: bool) -> Columns:
    """Show the first picture of some digits, and the first that the device got wrong, if any."""
    chosen = [int(np.flatnonzero(samples.labels == digit)[0]) for digit in range(SHOWN)]
    wrong = np.flatnonzero(answers != samples.labels)
    chosen[-1:] = wrong[:1].tolist() or chosen[-1:]
    return Columns(
        [
            Group(
                draw(samples.images[i, :, :, 0], colours=colours),
                caption(int(answers[i]), int(samples.labels[i])),
            )
            for i in chosen
        ],
        padding=(1, 2),
    )


def caption(answer: int, truth: int) -> Text:
    if answer == truth:
        return Text(f"device: {answer}", "green")
    return Text(f"device: {answer}, not {truth}", "red")


if __name__ == "__main__":
    run_as_script("digits", __doc__, whole_way)
