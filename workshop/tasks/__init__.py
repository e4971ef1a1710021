"""The exercises: one module each, with its recipe and its checks.

Imports `checks`, `grading` and what is below them.
"""
