# A stand-in for an Ubuntu image, for machines without access to an image registry.
# It is built from Debian, which is closest to Ubuntu.
ARG SUITE
FROM debian:${SUITE}-slim

# Ubuntu 22.04 lets pip install into the system. Newer Debian releases forbid it with
# an EXTERNALLY-MANAGED file, so apt must not unpack that file.
RUN echo 'path-exclude=/usr/lib/python3*/EXTERNALLY-MANAGED' > /etc/dpkg/dpkg.cfg.d/externally-managed
