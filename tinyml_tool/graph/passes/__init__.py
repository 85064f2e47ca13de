"""Exact graph passes: each makes a smaller graph that answers bit for bit like the model."""
