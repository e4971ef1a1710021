"""The basis of every other package: errors, processes, progress, paths, safe text.

Imports nothing else of `workshop`.
"""
