"""Reference interpreters: what a model's answers have to be, on the host."""
