"""The content of a built image, read from `docker save` without running the image."""
