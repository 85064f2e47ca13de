"""Who may open a port, and what those are told who may not."""

from pathlib import Path

from tinyml_tool.devices.port_access import DeviceNode, Identity, access_of, explain_refusal

DIALOUT = DeviceNode("root", "dialout", 0o20660)


def person(*, process: tuple[str, ...] = (), account: tuple[str, ...] = ()) -> Identity:
    return Identity("ada", frozenset(process), frozenset(account))


def test_somebody_outside_the_group_is_told_the_command_that_adds_them() -> None:
    access = explain_refusal("/dev/ttyACM0", DIALOUT, person())
    assert not access.allowed
    assert 'sudo usermod -aG dialout "$USER"' in access.remedy


def test_the_group_of_the_port_is_named_whatever_it_is_called() -> None:
    access = explain_refusal("/dev/ttyACM0", DeviceNode("root", "uucp", 0o20660), person())
    assert "uucp" in access.remedy[0]


def test_somebody_added_a_minute_ago_is_told_to_log_in_again() -> None:
    access = explain_refusal("/dev/ttyACM0", DIALOUT, person(account=("dialout",)))
    assert "session began before" in (access.problem or "")
    assert access.remedy[0] == "newgrp dialout"


def test_a_port_for_root_alone_needs_a_udev_rule() -> None:
    access = explain_refusal("/dev/ttyACM0", DeviceNode("root", "root", 0o20600), person())
    assert "mode 600" in (access.problem or "")
    assert any("/etc/udev/rules.d/" in line and "ttyACM" in line for line in access.remedy)
    assert any("udevadm control --reload" in line for line in access.remedy)


def test_a_member_who_is_refused_all_the_same_is_not_sent_to_join_again() -> None:
    access = explain_refusal("/dev/ttyACM0", DIALOUT, person(process=("dialout",)))
    assert access.remedy == ()
    assert "container" in (access.problem or "")


def test_a_file_one_may_use_is_allowed(tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.touch(mode=0o600)
    assert access_of(str(port)).allowed


def test_a_port_that_has_just_gone_is_told(tmp_path: Path) -> None:
    assert access_of(str(tmp_path / "absent")).problem == "it is gone"
