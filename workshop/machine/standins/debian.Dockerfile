# A stand-in for Debian's slim image, for machines without access to an image registry.
# `root.tar` is a minimal Debian that mmdebstrap builds from Debian packages.
FROM scratch
ADD root.tar /
COPY etc/ /etc/

# The host's certificates: behind a proxy that inspects TLS, containers cannot
# reach the package index without them.
COPY ca-certificates.crt /usr/local/share/workshop/ca-certificates.crt
ENV SSL_CERT_FILE=/usr/local/share/workshop/ca-certificates.crt \
    PIP_CERT=/usr/local/share/workshop/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/usr/local/share/workshop/ca-certificates.crt

# The package index of the host's pip, so that pip, uv and Poetry use the same one.
ARG PACKAGE_INDEX
ENV PIP_INDEX_URL=${PACKAGE_INDEX} \
    UV_DEFAULT_INDEX=${PACKAGE_INDEX} \
    POETRY_PYPI_MIRROR_URL=${PACKAGE_INDEX}

CMD ["bash"]
