"""Recordings of six words, of others, and of noise, spoken by a machine in many voices.

They are made here, as WAV files of one second; no voice is in two parts.
"""

from __future__ import annotations

import shutil
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from package_files import Package, package_folder
from speech import ACCENTS, RATE, Synthesizer

ESPEAK = Package("espeakng-loader", module="espeakng_loader", version="0.2.4", megabytes=10)

WORDS = ("yes", "no", "up", "left", "stop", "go")
OTHERS = (
    "bed",
    "bird",
    "cat",
    "dog",
    "happy",
    "house",
    "marvin",
    "seven",
    "sheila",
    "three",
    "tree",
)
"""What the class `unknown` is made of."""
SAMPLE_RATE = 16_000
"""Of the recordings; each is one second."""


@dataclass(frozen=True)
class Amount:
    """How much of everything is recorded."""

    voices: int
    """The first so many of a shuffled list; 60 % train, 15 % validate, the others test."""
    takes: int
    """Of each word by each voice."""
    others: int
    """Other words by each voice."""
    noises: int
    """Recordings of noise alone, for each voice that there is."""


ALL = Amount(voices=90, takes=2, others=3, noises=2)
FEW = Amount(voices=15, takes=1, others=1, noises=1)


def record(folder: Path, amount: Amount, progress: Callable[[str], None]) -> None:
    """Write PART/CLASS/VOICE_nohash_N.wav for all parts and classes into `folder`, from anew."""
    speaker = Synthesizer(package_folder(ESPEAK, progress))
    shutil.rmtree(folder, ignore_errors=True)
    chance = np.random.default_rng(0)
    voices = chance.permutation(speaker.voices)[: amount.voices].tolist()
    for number, voice in enumerate(voices):
        progress(f"voice {number + 1} of {len(voices)}, {100 * number // len(voices)} %")
        part = _part(number / len(voices))
        for take, (name, sound) in enumerate(_session(speaker, voice, amount, chance)):
            place = folder / part / name
            place.mkdir(parents=True, exist_ok=True)
            _write(place / f"{voice.replace(' ', '-')}_nohash_{take}.wav", sound)


def _part(place: float) -> str:
    return "train" if place < 0.6 else "validation" if place < 0.75 else "test"


def _session(
    speaker: Synthesizer, voice: str, amount: Amount, chance: np.random.Generator
) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """All recordings with one voice, each with its class."""
    told = [(word, word) for word in WORDS for _ in range(amount.takes)]
    told += [("unknown", str(word)) for word in chance.choice(OTHERS, amount.others, replace=False)]
    for name, word in told:
        said = speaker.say(
            word,
            voice,
            str(chance.choice(ACCENTS)),
            words_a_minute=int(chance.integers(130, 190)),
            pitch=int(chance.integers(30, 70)),
        )
        yield name, _recording(_resampled(said), chance)
    for _ in range(amount.noises):
        yield "noise", _recording(np.zeros(1), chance)


def _resampled(sound: NDArray[np.int16]) -> NDArray[np.float64]:
    """At SAMPLE_RATE, by straight lines: what that folds down lies above the bands in use."""
    times = np.arange(len(sound) * SAMPLE_RATE // RATE) / SAMPLE_RATE
    return np.interp(times, np.arange(len(sound)) / RATE, sound / 32768)


def _recording(sound: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.int16]:
    """One second: the sound somewhere in it, at some loudness, over some noise."""
    noise = chance.normal(0, 1, SAMPLE_RATE)
    hum = np.convolve(noise, np.full(16, 0.25), mode="same")
    mixed = 10 ** chance.uniform(-3.5, -2) * (noise if chance.random() < 0.5 else hum)
    said = sound[:SAMPLE_RATE]
    start = chance.integers(0, SAMPLE_RATE - len(said) + 1)
    mixed[start : start + len(said)] += said * chance.uniform(0.2, 0.9) / max(abs(said).max(), 1e-9)
    return np.rint(np.clip(mixed, -1, 1) * 32767).astype(np.int16)


def _write(path: Path, samples: NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
