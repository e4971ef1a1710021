"""Formats verdicts and images for people and for programs.

Imports `trials`, `analysis`, `model` and `core`.
"""
