"""Readers of data sets, one form a file; `read_dataset` chooses."""
