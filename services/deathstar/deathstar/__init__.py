"""A web API that keeps planets, and a command line that serves it or destroys one."""
