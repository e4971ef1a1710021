"""The documentation site: its build, the lessons' blocks, the generated reference pages.

Imports `tasks`, `stack` and what is below them.
"""
