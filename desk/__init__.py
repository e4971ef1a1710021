"""The desk: lesson, terminal, editor and checks in one browser page, on the learner's machine.

May import everything of `workshop` except its command line, which starts it. Nothing that grades
imports the desk.
"""
