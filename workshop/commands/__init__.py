"""Implements each command, after the command line is parsed.

Imports everything below the command line.
"""
