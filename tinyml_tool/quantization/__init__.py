"""Post-training quantization: from a float model and the user's data to integers, and the cost."""
