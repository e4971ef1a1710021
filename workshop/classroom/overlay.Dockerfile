# A base image that takes packages from a classroom. It has the name of the base image, so that
# every Dockerfile builds unchanged. `workshop join` builds it.
ARG BASE
FROM ${BASE}

ARG CODENAME
ARG URL
COPY room.pem /usr/local/share/workshop/room.pem
# The classroom's apt repository has no signature: TLS with the room's certificate protects it.
RUN rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* \
    && printf 'Types: deb\nURIs: %s/debian\nSuites: %s\nComponents: main\nTrusted: yes\n' \
        "${URL}" "${CODENAME}" > /etc/apt/sources.list.d/classroom.sources \
    && echo 'Acquire::https::CAInfo "/usr/local/share/workshop/room.pem";' \
        > /etc/apt/apt.conf.d/90classroom

ENV SSL_CERT_FILE=/usr/local/share/workshop/room.pem \
    PIP_CERT=/usr/local/share/workshop/room.pem \
    REQUESTS_CA_BUNDLE=/usr/local/share/workshop/room.pem \
    PIP_INDEX_URL=${URL}/simple/ \
    UV_DEFAULT_INDEX=${URL}/simple/ \
    POETRY_PYPI_MIRROR_URL=${URL}/simple/

# Poetry uses an API of the package index that a classroom does not have, so it needs a plug-in.
# A stand-in has it already. The standard library is what every virtual environment sees.
ARG MIRROR_PLUGIN
RUN if command -v pip > /dev/null && ! python3 -c 'import poetry_plugin_pypi_mirror' 2> /dev/null; then \
        stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
        && pip install --no-cache-dir --no-deps --no-compile --target "${stdlib}" "${MIRROR_PLUGIN}"; \
    fi
