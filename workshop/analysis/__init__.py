"""Reads submissions: each module analyses one kind of thing, such as an image or a container.

Imports `engine`, `model` and `core`.
"""
