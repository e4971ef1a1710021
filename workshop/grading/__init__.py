"""Grades one submission: builds it, runs it, and evaluates its checks.

Imports only `analysis`, `engine`, `model` and `core`, never a check or a task.
"""
