"""Tries changes to a learner's files in a copy, and measures what they are worth.

Imports `grading`, `stack` and what they may import.
"""
