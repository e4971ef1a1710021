# A stand-in for one of the official Python images, for a machine on which no
# image registry answers: the same Debian suite, the same Python minor version,
# built from Debian's own packages.
ARG SUITE
FROM debian:${SUITE}-slim

ARG PACKAGES
ARG PIP
ARG MIRROR_PLUGIN

# The official images let pip install into the system; Debian forbids it with
# an EXTERNALLY-MANAGED file, so that file goes. pip comes from the package
# index as it does there: Debian's own could not be upgraded by pip.
# Poetry asks the package index in a dialect that plain mirrors do not speak.
# The plug-in lies in the standard library's own folder: the one place that
# every virtual environment made from this Python can see.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv ${PACKAGES} \
    && rm -rf /var/lib/apt/lists/* \
    && stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -f "${stdlib}/EXTERNALLY-MANAGED" \
    && ln -s python3 /usr/bin/python \
    && PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" python3 -m pip install --no-cache-dir "${PIP}" \
    && pip install --no-cache-dir --no-deps --no-compile --target "${stdlib}" "${MIRROR_PLUGIN}"

CMD ["python3"]
