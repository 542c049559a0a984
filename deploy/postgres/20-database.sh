#!/bin/bash
# Runs once, as the superuser, when the database's volume is new: after 10-roles.sql, passwords and the database.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres \
    -v owner="$OWNER_PASSWORD" -v app="$APP_PASSWORD" \
    -v supervision="$SUPERVISION_PASSWORD" -v looks="$LOOKS_PASSWORD" <<'SQL'
alter role yuchuang_owner password :'owner';
alter role yuchuang_app password :'app';
alter role yuchuang_supervision password :'supervision';
alter role yuchuang_looks password :'looks';
create database yuchuang owner yuchuang_owner;
SQL
