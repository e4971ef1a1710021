"""The course's services: images, versions, settings, and starting and stopping them.

Imports `engine` and `core`.
"""
