# A stand-in for Debian's own slim image, where no image registry answers:
# `root.tar` is a minimal Debian that mmdebstrap made from Debian's packages.
FROM scratch
ADD root.tar /
COPY etc/ /etc/

# The host's certificates: behind a proxy that inspects TLS, nothing inside a
# container could reach the package index without them.
COPY ca-certificates.crt /usr/local/share/workshop/ca-certificates.crt
ENV SSL_CERT_FILE=/usr/local/share/workshop/ca-certificates.crt \
    PIP_CERT=/usr/local/share/workshop/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/usr/local/share/workshop/ca-certificates.crt

# Where the host's pip finds packages, so that pip, uv and Poetry find them there too.
ARG PACKAGE_INDEX
ENV PIP_INDEX_URL=${PACKAGE_INDEX} \
    UV_DEFAULT_INDEX=${PACKAGE_INDEX} \
    POETRY_PYPI_MIRROR_URL=${PACKAGE_INDEX}

CMD ["bash"]
