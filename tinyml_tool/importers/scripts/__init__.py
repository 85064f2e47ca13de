"""Converters that run in other Pythons, as scripts: nothing of the package is imported there."""
