"""Packs all that a class needs into one archive, and serves a class from it.

Imports `analysis`, `machine`, `stack`, `engine` and `core`.
"""
