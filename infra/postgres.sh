#!/bin/sh
# Run once, on an empty volume, by PostgreSQL's image: the databases of MLflow, Prefect and the production log.
# The log has a role of its own. The service knows its password; with the administrator's it could tell Prefect to have
# the worker run anything.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$LOG_PASSWORD" <<'SQL'
CREATE ROLE log LOGIN PASSWORD :'password';
CREATE DATABASE log OWNER log;
CREATE DATABASE mlflow;
CREATE DATABASE prefect;
REVOKE CONNECT, TEMPORARY ON DATABASE log, mlflow, prefect, postgres, likeness FROM PUBLIC;
SQL
