"""Judges what a device computes against what the reference computes."""
