"""Names that the tests of Renode share with their fixtures."""

from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
FakeRenode = Callable[..., None]
