#!/bin/sh
# run.sh DIRECTORY: runs a prepared node, and ends it as whoever ends it means. On TERM, QUIT or INT it says at /ready
# that it wants no more requests, takes them all the same for a while, so that balancers in front notice, and has nginx
# finish what was begun, up to a limit. A second signal skips the first wait. USR1 opens the logs anew, HUP what the
# configuration names (the admin API's certificate).
set -u
directory=$1
cd "$directory" || exit 1
# command, drain_seconds, stop_seconds: checked by prepare.ts
. ./conf/node/launch.env
rm -f draining

"$command" -p "$directory/" -c conf/nginx.conf -e logs/error.log &
nginx=$!

is_running() {
  kill -0 "$nginx" 2>/dev/null
}

# So many seconds at most, in fifths.
wait_while_running() {
  left=$(($1 * 5))
  while [ "$left" -gt 0 ] && [ -z "$hurry" ] && is_running; do
    sleep 0.2
    left=$((left - 1))
  done
}

end() {
  hurry=
  trap 'hurry=yes' TERM QUIT INT
  : > draining
  if [ "$drain_seconds" -gt 0 ]; then
    # Clients that keep their connections are told to come by new ones, which balancers send elsewhere.
    printf 'keepalive_timeout 0;\n' > conf/node/keepalive.conf && kill -HUP "$nginx"
    wait_while_running "$drain_seconds"
  fi
  hurry=
  kill -QUIT "$nginx" 2>/dev/null
  wait_while_running "$stop_seconds"
  kill -TERM "$nginx" 2>/dev/null
  wait "$nginx"
  code=$?
  # Out of time is no failure: what was cut off had its chance.
  [ "$code" -eq 143 ] && code=0
  exit "$code"
}
trap end TERM QUIT INT
trap 'kill -USR1 "$nginx"' USR1
trap 'kill -HUP "$nginx"' HUP

while :; do
  wait "$nginx"
  code=$?
  is_running || exit "$code"
done
