"""What each command does, once the command line has parsed it.

Imports everything below the command line.
"""
