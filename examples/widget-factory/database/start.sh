#!/bin/sh
# Starts a PostgreSQL whose data lies in $DATA, which is made the first time: with the factory's database, and its one table.
set -eu
umask 077

if [ ! -s "$DATA/PG_VERSION" ]; then
  echo "making a database in $DATA"
  "$POSTGRES_BIN/initdb" --pgdata="$DATA" --username=postgres --pwfile="$NOMAD_SECRETS_DIR/password" \
    --auth-host=scram-sha-256 --auth-local=reject --encoding=UTF8 --locale=C --no-instructions >/dev/null
  echo "CREATE DATABASE factory" | "$POSTGRES_BIN/postgres" --single -D "$DATA" postgres >/dev/null
  "$POSTGRES_BIN/postgres" --single -j -D "$DATA" factory <"$NOMAD_TASK_DIR/schema.sql" >/dev/null
fi

exec "$POSTGRES_BIN/postgres" -D "$DATA" -c listen_addresses="$HOST" -c port="$PORT" -c unix_socket_directories= \
  -c log_min_messages=warning
