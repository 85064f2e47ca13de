"""The application of `src/main.c`, fed with raw samples as by its sensor: what it reports."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.devices.inference_line import (
    DamagedInference,
    ReportedInference,
    parse_inference_line,
)
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.text_lines import TextLines
from tinyml_tool.errors import LinkError
from tinyml_tool.protocol import Capability

_PATIENCE = 100_000
"""Questions in a row without a sample taken, before the application counts as stuck."""


def feed_application(client: LinkClient, samples: NDArray[Any]) -> list[ReportedInference]:
    """Feed a recording to the application; what it reports while it works through it.

    Raises LinkError where the firmware has no preprocessing, the application takes no samples, or
    a report is lost on the way.
    """
    if Capability.FEATURES not in client.capabilities:
        raise LinkError(
            "the firmware has no preprocessing: its application takes no raw samples",
            hint="generate it with [features]",
        )
    reports: list[ReportedInference | DamagedInference] = []
    lines = TextLines()

    def listen(text: str) -> None:
        found = (parse_inference_line(line) for line in lines.feed(text.encode()))
        reports.extend(report for report in found if report is not None)

    client.listen(listen)
    try:
        before, after = _feed(client, samples)
    finally:
        client.listen(None)
    heard = [report for report in reports if isinstance(report, ReportedInference)]
    if len(heard) != after - before:
        raise LinkError(
            f"the application reported {after - before} inferences, {len(heard)} of them arrived",
            hint="check cable, ground and baud rate, or take a lower one",
        )
    return heard


def _feed(client: LinkClient, samples: NDArray[Any]) -> tuple[int, int]:
    """The application's count of reports before and after it."""
    data = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()
    reply = client.feed(data, anew=True)
    before, position, refused = reply.inferences, reply.taken, 0
    while position < len(data) or reply.left:
        reply = client.feed(data[position:])
        position += reply.taken
        refused = 0 if reply.taken else refused + 1
        if refused == _PATIENCE:
            raise LinkError(
                "the application takes no samples",
                hint="something in src/main.c keeps it busy: see tinyml_fed_samples() there",
            )
    return before, reply.inferences
