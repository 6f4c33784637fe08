#!/bin/sh
# Starts a PostgreSQL whose data lies in $DATA. The first time it makes them, with the factory's database and its one table.
set -eu
umask 077

# PostgreSQL refuses to run as root.
as=
[ -z "$RUN_AS" ] || as="setpriv --reuid=$RUN_AS --regid=$(id -g "$RUN_AS") --clear-groups"
cd "$DATA"

if [ ! -s "$DATA/data/PG_VERSION" ]; then
  echo "making a database in $DATA"
  rm -rf "$DATA/data"
  $as "$POSTGRES_BIN/initdb" --pgdata="$DATA/data" --username=postgres --pwfile=/dev/stdin --no-instructions \
    --auth-host=scram-sha-256 --auth-local=reject --encoding=UTF8 --locale=C \
    <"$NOMAD_SECRETS_DIR/password" >/dev/null
  # The program may run on any node.
  $as sh -c 'echo "host all all all scram-sha-256" >>"$1"' sh "$DATA/data/pg_hba.conf"
  echo "CREATE DATABASE factory" | $as "$POSTGRES_BIN/postgres" --single -D "$DATA/data" postgres >/dev/null
  $as "$POSTGRES_BIN/postgres" --single -j -D "$DATA/data" factory <"$NOMAD_TASK_DIR/schema.sql" >/dev/null
fi

exec $as "$POSTGRES_BIN/postgres" -D "$DATA/data" -c listen_addresses="$HOST" -c port="$PORT" \
  -c unix_socket_directories= -c log_min_messages=warning
