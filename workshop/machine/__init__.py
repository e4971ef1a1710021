"""Checks whether this machine is ready for the course, and makes it ready.

Imports `stack`, `engine` and `core`.
"""
