"""Formats verdicts and images for people and for programs.

Imports `analysis`, `model` and `core`.
"""
