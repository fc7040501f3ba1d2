#!/bin/sh
# Run once, when the container's data folder is still empty: makes the role that the server signs in as, and its database.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --no-psqlrc \
  --set username="$APP_USERNAME" --set password="$APP_PASSWORD" --set database="$APP_DATABASE" <<'SQL'
create role :"username" login createrole password :'password';
create database :"database" owner :"username";
SQL
