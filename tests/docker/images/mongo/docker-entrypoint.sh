#!/usr/bin/env bash
# As the official one: own the data, make the first user once, then become mongod with authentication.
set -Eeuo pipefail
if [[ ${1-} == -* ]]; then set -- mongod "$@"; fi
if [[ $1 == mongod && $(id -u) == 0 ]]; then
  chown mongodb /data/db /data/configdb
  exec gosu mongodb "$BASH_SOURCE" "$@"
fi
if [[ -n ${MONGO_INITDB_ROOT_PASSWORD_FILE-} ]]; then
  MONGO_INITDB_ROOT_PASSWORD=$(<"$MONGO_INITDB_ROOT_PASSWORD_FILE")
fi
if [[ $1 == mongod && -n ${MONGO_INITDB_ROOT_USERNAME-} ]]; then
  if [[ -z $(ls -A /data/db) ]]; then
    mongod --bind_ip 127.0.0.1 --port 27017 --dbpath /data/db --fork --logpath /proc/1/fd/1 --pidfilepath /tmp/first.pid
    MONGO_INITDB_ROOT_PASSWORD="$MONGO_INITDB_ROOT_PASSWORD" /opt/shell/bin/python /usr/local/bin/first-user.py
    mongod --dbpath /data/db --shutdown
  fi
  set -- "$@" --auth
fi
unset "${!MONGO_INITDB_@}"
exec "$@"
