# A stand-in for an official Python image, for machines without access to an image
# registry: the same Debian suite and Python minor version, from Debian packages.
ARG SUITE
FROM debian:${SUITE}-slim

ARG PACKAGES
ARG PIP
ARG MIRROR_PLUGIN

# The official images let pip install into the system. Debian forbids it with an
# EXTERNALLY-MANAGED file, so remove that file. Install pip from the package index,
# as the official images do: pip cannot upgrade Debian's pip.
# Poetry uses an API of the package index that plain mirrors do not have, so it needs
# a plug-in. The standard library's directory is the only one that every virtual
# environment of this Python sees.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv ${PACKAGES} \
    && rm -rf /var/lib/apt/lists/* \
    && stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -f "${stdlib}/EXTERNALLY-MANAGED" \
    && ln -s python3 /usr/bin/python \
    && PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" python3 -m pip install --no-cache-dir "${PIP}" \
    && pip install --no-cache-dir --no-deps --no-compile --target "${stdlib}" "${MIRROR_PLUGIN}"

CMD ["python3"]
