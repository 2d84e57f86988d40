#!/bin/sh
# Installs Debian or Ubuntu packages as root, without letting them start services: nginx from Debian would take port 80
# now and at every boot, and Entrance runs an nginx of its own; the tests run an etcd of their own. Leaves no policy
# behind.
#
#   sh install-packages.sh PACKAGE…
set -eu

policy=/usr/sbin/policy-rc.d
mark="made by Entrance's install-packages.sh"

# Packages of services, and those that were here before us: their services stay as they are.
status() { dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true; }
services='nginx:nginx etcd-server:etcd'
had=''
for each in $services; do
  if [ "$(status "${each%:*}")" = installed ]; then had="$had $each "; fi
done

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

for each in $services; do
  case "$had" in *" $each "*) continue ;; esac
  if [ "$(status "${each%:*}")" = installed ] && command -v systemctl > /dev/null 2>&1; then
    systemctl disable --quiet "${each#*:}" > /dev/null 2>&1 || true
  fi
done
