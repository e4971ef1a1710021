"""Checks whether a machine is ready for the course, and prepares it.

Imports `stack`, `engine` and `core`.
"""
