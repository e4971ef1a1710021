"""Finds what keeps the course from working on a machine, with a fix for each finding.

A module has the checks of one part of the machine; `examination` lists them all.
"""
