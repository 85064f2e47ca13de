"""Whether the user may open a port, and if not, what to do about it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

_GROUP_RW = stat.S_IRGRP | stat.S_IWGRP


@dataclass(frozen=True)
class DeviceNode:
    """Owner and permissions of a port's file."""

    owner: str
    group: str
    mode: int


@dataclass(frozen=True)
class Identity:
    """The user of this process: the groups it has, and those that the accounts say."""

    user: str
    process_groups: frozenset[str]
    account_groups: frozenset[str]


@dataclass(frozen=True)
class Access:
    """Whether a port may be opened; `remedy` is what to type where not, one command a line."""

    allowed: bool
    problem: str | None = None
    remedy: tuple[str, ...] = ()


ALLOWED = Access(True)


def access_of(device: str) -> Access:
    """Look whether this process may read and write `device`; nothing is opened."""
    path = Path(device)
    try:
        if os.access(path, os.R_OK | os.W_OK):
            return ALLOWED
        return explain_refusal(device, _node(path), _identity())
    except FileNotFoundError:
        return Access(False, "it is gone")
    except OSError as error:
        return Access(False, str(error.strerror))


def explain_refusal(device: str, node: DeviceNode, identity: Identity) -> Access:
    """Why `identity` may not open the device with this `node`, and the way out."""
    by_group = node.mode & _GROUP_RW == _GROUP_RW and node.group != "root"
    if by_group and node.group in identity.process_groups:
        return Access(False, "the system refuses it in spite of its permissions (a container?)")
    if by_group and node.group in identity.account_groups:
        return Access(
            False,
            f"you are in group '{node.group}', but this session began before that",
            (f"newgrp {node.group}", "# or log out and in again"),
        )
    if by_group:
        return Access(
            False,
            f"only members of group '{node.group}' may open it, and you are none",
            (f'sudo usermod -aG {node.group} "$USER"', "# then log out and in again"),
        )
    return Access(
        False,
        f"it belongs to {node.owner}:{node.group} with mode {stat.S_IMODE(node.mode):o}",
        udev_rule(device),
    )


def udev_rule(device: str) -> tuple[str, ...]:
    """Commands that open all ports of this kind to whoever sits at the computer."""
    name = Path(device).name.rstrip("0123456789")
    rule = f'KERNEL=="{name}[0-9]*", SUBSYSTEM=="tty", MODE="0660", GROUP="dialout", TAG+="uaccess"'
    return (
        f"echo '{rule}' | sudo tee /etc/udev/rules.d/70-tinyml.rules",
        "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=tty",
        'sudo usermod -aG dialout "$USER"',
        "# then log out and in again",
    )


def _node(path: Path) -> DeviceNode:
    status = path.stat()
    return DeviceNode(_user_name(status.st_uid), _group_name(status.st_gid), status.st_mode)


def _identity() -> Identity:
    import grp

    user = _user_name(os.geteuid())
    process_groups = frozenset(_group_name(group) for group in (*os.getgroups(), os.getegid()))
    account_groups = frozenset(entry.gr_name for entry in grp.getgrall() if user in entry.gr_mem)
    return Identity(user, process_groups, account_groups)


def _user_name(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _group_name(group: int) -> str:
    import grp

    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
