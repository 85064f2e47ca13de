"""The Python API: one function a verb of the command line, one file a function."""
