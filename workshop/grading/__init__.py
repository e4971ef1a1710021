"""Grades one submission: builds it, runs it, and turns its checks into a verdict.

Imports `analysis`, `engine`, `model` and `core`; never a check or a task.
"""
