"""The course's services: their images and versions, the settings of a checkout, up and down.

Imports `engine` and `core`.
"""
