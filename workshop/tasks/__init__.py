"""The exercises: one module each, with its recipe and its checks."""
