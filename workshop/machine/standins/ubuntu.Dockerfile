# A stand-in for an Ubuntu image, where no image registry answers: Debian is
# the nearest relative whose packages are at hand.
ARG SUITE
FROM debian:${SUITE}-slim

# Ubuntu 22.04 lets pip install into the system, newer Debians forbid it with
# a file; so this image never unpacks that file.
RUN echo 'path-exclude=/usr/lib/python3*/EXTERNALLY-MANAGED' > /etc/dpkg/dpkg.cfg.d/externally-managed
