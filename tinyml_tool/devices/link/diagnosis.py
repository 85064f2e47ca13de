"""What to say when the link fails: each error names the cause, then the next step."""

from __future__ import annotations

from tinyml_tool.errors import LinkError
from tinyml_tool.protocol import VERSION, Request, Status

_SHOWN_BYTES = 48
_SHOWN_LINES = 8


class RefusedError(LinkError):
    """The device understood a request and refused it with `status`."""

    def __init__(self, request: Request[object, object], status: Status, detail: str) -> None:
        reason = f"{status.name}: {status.meaning}"
        super().__init__(
            f"the device refused {request.name} with {reason}" + (f" ({detail})" if detail else ""),
            hint=_HINTS.get(status),
        )
        self.status = status


class RestartedError(LinkError):
    """The device lost the session: it restarted, or another program opened one."""


_HINTS = {
    Status.NOT_SUPPORTED: "build the firmware with MODEL_OBSERVER=1 and TINYML_SEMIHOSTING=1, as "
    "emulated boards have it",
    Status.FILE_FAILED: "check that the folder exists, is writable and has room",
    Status.INPUTS_DIFFER: "something else on the device writes the model's inputs: see "
    "tinyml_link_active() in src/main.c",
    Status.NO_RESULT: "something else on the device runs the model: see tinyml_link_active() in "
    "src/main.c",
    Status.MODEL_FAILED: "the model does not run on this device; see `info` in its text mode",
}


def _last_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return [f"the device printed: {line}" for line in lines[-_SHOWN_LINES:]]


def silent(seconds: float) -> LinkError:
    """Nothing at all arrived."""
    return LinkError(
        f"the device does not answer: not one byte in {seconds:g} s",
        hint="check that the board has power, that its firmware is on it (`tinyml flash PROJECT`), "
        "and that these are its port (`tinyml ports`) and baud rate",
    )


def babbling(first: bytes, received: int, seconds: float) -> LinkError:
    """Bytes arrived, but no frame of this protocol."""
    return LinkError(
        f"the device sends something else than this tool's protocol: {received} bytes in "
        f"{seconds:g} s, no answer among them",
        hint="another firmware may be on the board (`tinyml flash PROJECT` puts the right one "
        "there), or its baud rate is not that of its board file",
        details=[f"it began with {first[:_SHOWN_BYTES]!r}"],
    )


def only_text(text: str, seconds: float) -> LinkError:
    """Readable text arrived, but no frame of this protocol."""
    return LinkError(
        f"the device prints text but does not answer: no frame in {seconds:g} s",
        hint="the firmware may hang, or lack tinyml_link_poll() in its main loop, or not be made "
        "by this tool: `tinyml flash PROJECT` puts a new one there",
        details=_last_lines(text),
    )


def damaged(request: str, count: int, text: str) -> LinkError:
    """Frames arrive, but are damaged too often."""
    return LinkError(
        f"the connection is too bad for {request}: {count} damaged frames, no good one",
        hint="check cable, ground and baud rate, or take a lower one",
        details=_last_lines(text),
    )


def stopped(request: str, seconds: float, answered: int, text: str) -> LinkError:
    """The device answered before, and then no more."""
    return LinkError(
        f"the device stopped half way: no answer to {request} in {seconds:g} s, after "
        f"{answered} answered requests",
        hint="it may have crashed or been unplugged; `tinyml monitor` shows what it prints",
        details=_last_lines(text),
    )


def never_finished(request: str, seconds: float, text: str) -> LinkError:
    """The device accepted a long request and said nothing since."""
    return LinkError(
        f"the device accepted {request} but did not finish it in {seconds:g} s",
        hint="it may have crashed, or the model needs longer: raise the time limit",
        details=_last_lines(text),
    )


def restarted(request: str, text: str) -> RestartedError:
    """The session is gone."""
    return RestartedError(
        f"the device restarted in the middle (it no longer knows the session of {request}); "
        "nothing of this run was used",
        hint="a fault, the watchdog or the supply may have reset it; or another program uses the "
        "same port",
        details=_last_lines(text),
    )


def wrong_version(version: int) -> LinkError:
    """The device speaks another version of the protocol."""
    older = version < VERSION
    return LinkError(
        f"the device speaks version {version} of the link protocol, this tool version {VERSION}",
        hint="generate and flash the firmware again with this tool"
        if older
        else "update this tool (pip install --upgrade tinyml-tool), or flash the firmware again",
    )


def wrong_reply(request: str, problem: str) -> LinkError:
    """A frame with a right CRC whose content makes no sense."""
    return LinkError(
        f"the device's answer to {request} does not follow the protocol: {problem}",
        hint="generate and flash the firmware again with this tool",
    )


def wrong_model(expected: str, found: str, name: str) -> LinkError:
    """Another model is on the device."""
    return LinkError(
        f"another model is on the device: '{name}' with hash {found[:16]}..., expected "
        f"{expected[:16]}...",
        hint="name the project whose firmware is on the device, or put this one there: "
        "`tinyml flash PROJECT`",
    )


def wrong_build(expected: str, found: str) -> LinkError:
    """The right model, built from other sources."""
    return LinkError(
        f"another build is on the device: {found}, expected {expected}",
        hint="the project was generated or built anew since: `tinyml flash PROJECT`",
    )


def wrong_features(expected: str | None, found: str | None) -> LinkError:
    """The firmware turns raw samples into other features than the model was trained on."""
    told = "no preprocessing" if found is None else f"the preprocessing {found[:16]}"
    wanted = "none" if expected is None else f"{expected[:16]}, as the model's feature spec says"
    return LinkError(
        f"the firmware on the device has {told}, expected {wanted}",
        hint="generate, build and flash the firmware again from the model and its [features]",
    )


def wrong_answer(expected: str | None, found: str | None) -> LinkError:
    """The firmware makes other answers of the outputs than the model's spec says."""
    told = "no answer spec" if found is None else f"the answer spec {found[:16]}"
    wanted = "none" if expected is None else f"{expected[:16]}, as the model's [answer] says"
    return LinkError(
        f"the firmware on the device has {told}, expected {wanted}",
        hint="generate, build and flash the firmware again from the model and its [answer]",
    )


def corrupted(what: str) -> LinkError:
    """The CRC of a whole tensor is wrong though each piece of it was right."""
    return LinkError(
        f"{what} changed while it was read: its checksum is wrong",
        hint="something else on the device uses the model: see tinyml_link_active() in src/main.c",
    )
