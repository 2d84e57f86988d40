#!/bin/sh
# Installs Debian or Ubuntu packages as root, without letting them start services: nginx from Debian would take port 80
# now and at every boot, and Entrance runs an nginx of its own. Leaves no policy behind.
#
#   sh install-packages.sh PACKAGE…
set -eu

policy=/usr/sbin/policy-rc.d
mark="made by Entrance's install-packages.sh"
had_nginx=$(dpkg-query --show --showformat='${db:Status-Status}' nginx 2>/dev/null || true)

if [ ! -e "$policy" ] || grep -q "$mark" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" > "$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
install() { apt-get install --yes -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@"; }

if ls /var/lib/apt/lists/*Packages* > /dev/null 2>&1; then
  install "$@" || { apt-get update -qq && install "$@"; } # the lists may name versions that are gone
else
  apt-get update -qq
  install "$@"
fi

if [ "$had_nginx" != installed ] && command -v systemctl > /dev/null 2>&1; then
  systemctl disable --quiet nginx > /dev/null 2>&1 || true
fi
