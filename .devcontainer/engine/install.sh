#!/bin/sh
# Installs the engine, the programs that start it and wait for it, and one that builds base images.
set -eu

apt-get update
apt-get install -y --no-install-recommends \
    docker.io docker-cli docker-compose docker-buildx containerd runc iptables
rm -rf /var/lib/apt/lists/*

# The user of the editor uses the engine without sudo.
usermod --append --groups docker "${_REMOTE_USER}"

install -m 755 start-engine wait-for-engine mmdebstrap /usr/local/bin/
