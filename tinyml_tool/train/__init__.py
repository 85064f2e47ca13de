"""Training: data sets, architectures, and the engine that fits them in its own process."""
