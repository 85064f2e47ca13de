"""What the data sheets of the motion sensors say: codes of rates and ranges, size of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class MotionRegisters:
    """One sensor: codes as they stand in the fields of its registers."""

    rates: Mapping[int, int]
    """Samples a second -> ODR field."""
    accelerations: Mapping[int, tuple[int, float]]
    """Range in g -> field, g for a step of the 16 bits."""
    rotations: Mapping[int, tuple[int, float]]
    """Range in degrees a second -> field, degrees a second for a step."""


MOTION_SENSORS: Mapping[str, MotionRegisters] = MappingProxyType(
    {
        # LSM9DS1 data sheet (DocID025715): table 3, tables 46 and 67.  The rates below 119 Hz are
        # no whole numbers.
        "lsm9ds1": MotionRegisters(
            rates={119: 3, 238: 4, 476: 5, 952: 6},
            accelerations={
                2: (0, 0.061e-3),
                4: (2, 0.122e-3),
                8: (3, 0.244e-3),
                16: (1, 0.732e-3),
            },
            rotations={245: (0, 8.75e-3), 500: (1, 17.5e-3), 2000: (3, 70e-3)},
        ),
        # LSM6DSL data sheet (DocID028475): table 3, CTRL1_XL and CTRL2_G.
        "lsm6dsl": MotionRegisters(
            rates={26: 2, 52: 3, 104: 4, 208: 5, 416: 6, 833: 7},
            accelerations={
                2: (0, 0.061e-3),
                4: (2, 0.122e-3),
                8: (3, 0.244e-3),
                16: (1, 0.488e-3),
            },
            rotations={245: (0, 8.75e-3), 500: (1, 17.5e-3), 1000: (2, 35e-3), 2000: (3, 70e-3)},
        ),
    }
)
STANDARD_GRAVITY = 9.80665
"""m/s^2 in a g."""
