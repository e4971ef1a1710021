"""What every part uses: errors, running other programs, progress, paths, safe text.

Imports nothing else of `workshop`.
"""
