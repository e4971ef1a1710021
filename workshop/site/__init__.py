"""The documentation site: its build, the code blocks of lessons, the generated reference pages.

Imports `tasks`, `stack` and what is below them.
"""
