"""The compiler room: choose kernels, plan memory; the result is a plan."""
