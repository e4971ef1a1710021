# A stand-in for the official registry image, for machines without access to a registry.
ARG SUITE
FROM debian:${SUITE}-slim

# Debian's configuration requires a password file; the official image's does not.
RUN apt-get update \
    && apt-get install -y --no-install-recommends docker-registry \
    && rm -rf /var/lib/apt/lists/* \
    && sed -i -e '/^auth:/,/^[^ ]/{/^auth:/d;/^ /d}' -e 's#/var/lib/docker-registry#/var/lib/registry#' /etc/docker/registry/config.yml

EXPOSE 5000
VOLUME ["/var/lib/registry"]
ENTRYPOINT ["docker-registry"]
CMD ["serve", "/etc/docker/registry/config.yml"]
