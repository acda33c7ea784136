#!/usr/bin/env bash
# Called by mmdebstrap with the root it has made: takes out what a node must not have.
set -euo pipefail
root=$1

# This machine's name, resolver and mirror.
rm -f "$root"/etc/{hostname,resolv.conf} "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
rm -rf "$root"/var/log/* "$root"/var/cache/apt "$root"/var/lib/apt "$root"/usr/share/bash-completion

# As kind's base image does: of the units that Debian starts at boot a node needs next to none, and some would take
# the machine's devices.
units=$root/lib/systemd/system
rm -f "$units"/multi-user.target.wants/* "$units"/local-fs.target.wants/* "$units"/basic.target.wants/* \
  "$units"/sockets.target.wants/*udev* "$units"/sockets.target.wants/*initctl* \
  "$units"/sysinit.target.wants/systemd-tmpfiles-setup.service
rm -f "$root"/etc/systemd/system/*.wants/*
