"""The workshop's tool: it readies a machine, builds every service and starts the web ones."""
