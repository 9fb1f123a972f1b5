#!/usr/bin/env bash
# Creates the roles, logins and databases in the container of docker-compose.yml. The image runs it when the data is new. For
# data of before, and for new passwords: docker compose exec postgres bash /contextvault/init.sh
set -euo pipefail
here=/contextvault

admin() { psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password "$@"; }

admin --dbname postgres \
	-v owner_password="$DATABASE_OWNER_PASSWORD" -v app_password="$DATABASE_APP_PASSWORD" \
	-v system_password="$DATABASE_SYSTEM_PASSWORD" -v hatchet_password="$HATCHET_DATABASE_PASSWORD" \
	--file "$here/roles.sql"
admin --dbname postgres <<-'SQL'
	SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
	FROM (VALUES ('contextvault', 'vault_owner'), ('hatchet', 'hatchet')) AS databases (name, owner)
	WHERE name NOT IN (SELECT datname FROM pg_database)
	\gexec
	ALTER DATABASE contextvault OWNER TO vault_owner;
SQL
admin --dbname contextvault --file "$here/database.sql"
