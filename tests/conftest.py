"""What holds for all tests."""

import signal

# A job that a script starts in the background ignores Ctrl-C, and so would all its children: the
# tests that press it need the usual behaviour.
signal.signal(signal.SIGINT, signal.default_int_handler)
