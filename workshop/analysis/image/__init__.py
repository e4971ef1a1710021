"""What a built image holds, read from `docker save` without running it."""
