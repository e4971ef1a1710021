"""Checks that several tasks share, in a module for each subject.

A check judges the built image and the running container. Its `text`, if it has one, judges the
Dockerfile's text, for learners without an engine; it fails only when the text leaves no doubt.

Imports `analysis`, `model` and `core`.
"""
