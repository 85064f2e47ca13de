"""The training engine: the only package code that imports TensorFlow, in a process of its own.

Run as `python -m tinyml_tool.train.engine JOB.json`.  It knows nothing else of this package, so
that it runs in any Python that has TensorFlow and numpy; nothing outside it imports it.
"""
