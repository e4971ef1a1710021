"""Grades the submissions of a class: finds them, runs them, keeps the verdicts, writes the marks.

May import everything below `commands`: the grading, the tasks and the reports.
"""
