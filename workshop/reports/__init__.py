"""Formats verdicts and image layers for people and for programs.

Imports `analysis`, `model` and `core`.
"""
