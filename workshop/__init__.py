"""The command-line tool of the course: sets up a machine, runs the services, grades answers."""
