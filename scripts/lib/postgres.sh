# shellcheck shell=bash
# The private PostgreSQL. Sourced by scripts/services.

PG_MIN=14
PG_HOME=$DEV/postgres # or what that links to, see choose_postgres_user
[[ ! -L $PG_HOME ]] || PG_HOME=$(readlink "$PG_HOME")
PG_DATA=$PG_HOME/data
PG_USER=vault

# Settings for a server whose data nobody would miss: no waiting for the disk. Given at each start, so that a change
# here needs no new data directory.
pg_settings=(
	listen_addresses=127.0.0.1
	unix_socket_directories=
	max_connections=1000
	shared_buffers=256MB
	fsync=off
	full_page_writes=off
	synchronous_commit=on
	jit=off
	TimeZone=UTC
	log_timezone=UTC
	cluster_name=contextvault-dev
)

# find_postgres sets PG_BIN and PG_SHARE to the newest complete installation; one with pgvector is preferred, and the
# version of existing data is the only one that can read it. It fails when no server is installed.
find_postgres() {
	local bin share version best=-1 score wanted=
	PG_BIN='' PG_SHARE='' PG_VERSION=''
	[[ ! -f $PG_DATA/PG_VERSION ]] || wanted=$(<"$PG_DATA/PG_VERSION")
	while read -r bin share version; do
		[[ -x $bin/postgres && -x $bin/initdb && -x $bin/psql ]] || continue
		((version >= PG_MIN)) || continue
		score=$version
		[[ ! -f $share/extension/vector.control ]] || score=$((score + 1000))
		[[ $version != "$wanted" ]] || score=$((score + 10000))
		if ((score > best)); then
			best=$score PG_BIN=$bin PG_SHARE=$share PG_VERSION=$version
		fi
	done < <(postgres_candidates)
	[[ -n $PG_BIN ]]
}

# Debian keeps every version in a folder of its own. Elsewhere pg_config says where things are. A bare `postgres` in
# PATH is not trusted: it may belong to another build than the tools and extensions beside it.
postgres_candidates() {
	local dir version
	for dir in /usr/lib/postgresql/*/bin; do
		version=$(basename "$(dirname "$dir")")
		[[ $version =~ ^[0-9]+$ ]] || continue
		echo "$dir /usr/share/postgresql/$version $version"
	done
	if command -v pg_config >/dev/null; then
		version=$(pg_config --version)
		version=${version#PostgreSQL }
		version=${version%%[!0-9]*}
		echo "$(pg_config --bindir) $(pg_config --sharedir) ${version:-0}"
	fi
}

has_pgvector() { [[ -f $PG_SHARE/extension/vector.control ]]; }
usable_postgres() { find_postgres && has_pgvector; }

start_postgres() {
	if find_postgres && answering postgres 60 postgres_answers; then
		create_databases
		say "postgres: already running on 127.0.0.1:$(<"$DEV/postgres.port")"
		return
	fi
	if ! usable_postgres; then
		install_postgres
		usable_postgres || die "postgres: installed, but no complete PostgreSQL $PG_MIN or newer with pgvector is found"
	fi
	if [[ -f $PG_DATA/PG_VERSION && $(<"$PG_DATA/PG_VERSION") != "$PG_VERSION" ]]; then
		die "postgres: the data in .dev/postgres is of version $(<"$PG_DATA/PG_VERSION"), which is not installed (found: $PG_VERSION). Install it, or remove .dev/postgres to start afresh"
	fi

	keep_secret postgres
	as_postgres=()
	if is_root; then choose_postgres_user; fi
	mkdir -p "$PG_HOME"
	[[ -f $PG_DATA/PG_VERSION ]] || init_postgres
	drop_dead_lock

	local settings=() setting port attempt
	for setting in "${pg_settings[@]}"; do settings+=(-c "$setting"); done
	for attempt in 1 2 3; do
		port=$(keep_port postgres)
		: >"$DEV/postgres.log"
		launch postgres "${as_postgres[@]}" "$PG_BIN/postgres" -D "$PG_DATA" -p "$port" "${settings[@]}" </dev/null
		if wait_ready postgres 60 postgres_answers; then break; fi
		# Somebody may have taken the port between our look and the server's.
		if ((attempt < 3)) && grep -q 'could not bind' "$DEV/postgres.log"; then
			rm -f "$DEV/postgres.port"
			continue
		fi
		running postgres && stop_server postgres INT
		fail_with_log postgres "did not start"
	done
	create_databases
	say "postgres: started on 127.0.0.1:$port (version $PG_VERSION, data in .dev/postgres)"
}

postgres_answers() { "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$(<"$DEV/postgres.port")"; }

# drop_dead_lock: a container whose first process collects no children keeps a killed server's number for ever, and
# PostgreSQL takes it for a living one.
drop_dead_lock() {
	local pid lock=$PG_DATA/postmaster.pid
	[[ -f $lock ]] && read -r pid <"$lock" || return 0
	if [[ -d /proc/$pid ]] && ! started "$pid" >/dev/null; then
		sleep 1 # its children notice and end by themselves
		rm -f "$lock"
	fi
}

# choose_postgres_user: PostgreSQL refuses to run as root. The system user may be unable to reach .dev/ (a checkout
# under /root, mode 0700): then it runs with the one capability that lets it pass through folders; where even that is
# not to be had (some containers), the data goes to /var/lib and .dev/postgres is a link to it.
choose_postgres_user() {
	local user pass=(--inh-caps=+dac_read_search --ambient-caps=+dac_read_search)
	user=$(server_user postgres)
	mapfile -t as_postgres < <(drop_to "$user")
	give_home_to "$user"
	if reaches_home "${as_postgres[@]}"; then return; fi
	if reaches_home "${as_postgres[@]}" "${pass[@]}"; then
		as_postgres+=("${pass[@]}")
		return
	fi
	[[ ! -f $PG_DATA/PG_VERSION ]] || die "postgres: the user $user cannot reach $PG_HOME any more; make the folders above it passable (chmod o+x), or remove it to start afresh"
	rm -rf "$PG_HOME"
	PG_HOME=/var/lib/contextvault-dev/$(printf '%s' "$DEV" | cksum | cut -d' ' -f1)
	PG_DATA=$PG_HOME/data
	say "postgres: the user $user cannot reach $DEV; its data goes to $PG_HOME (.dev/postgres is a link to it)"
	give_home_to "$user"
	ln -sfn "$PG_HOME" "$DEV/postgres"
}

give_home_to() {
	mkdir -p "$PG_HOME"
	chown "$1:" "$PG_HOME"
	chmod 0700 "$PG_HOME"
}

# reaches_home PREFIX… really reads the folder: test -r asks access(2), which does not look at capabilities.
reaches_home() { (cd / && "$@" ls "$PG_HOME/" >/dev/null 2>&1); }

init_postgres() {
	local locale=C password=$PG_HOME/initial-password
	# Sorting by code point, the same on every machine; C.UTF-8 also knows upper and lower case beyond ASCII.
	! locale -a 2>/dev/null | grep -qiE '^C\.utf-?8$' || locale=C.UTF-8
	(umask 077 && cat "$DEV/postgres.password" >"$password")
	! is_root || chown --reference="$PG_HOME" "$password"
	rm -rf "$PG_DATA" # what an interrupted initdb left
	(cd / && "${as_postgres[@]}" "$PG_BIN/initdb" -D "$PG_DATA" --username="$PG_USER" --pwfile="$password" \
		--auth=scram-sha-256 --encoding=UTF8 --locale="$locale" --no-sync) >"$DEV/postgres.log" 2>&1 9>&- ||
		fail_with_log postgres "initdb failed"
	rm -f "$password"
}

psql_admin() {
	PGOPTIONS=--client-min-messages=warning PGPASSWORD=$(<"$DEV/postgres.password") "$PG_BIN/psql" -X -q -tA -v ON_ERROR_STOP=1 \
		-h 127.0.0.1 -p "$(<"$DEV/postgres.port")" -U "$PG_USER" -d postgres "$@"
}

# create_databases makes the databases with the roles and logins of deploy/postgres. All logins have the one password of
# this server. Tests of the engine create databases of their own.
create_databases() {
	local password name
	password=$(<"$DEV/postgres.password")
	psql_admin -v owner_password="$password" -v app_password="$password" -v system_password="$password" \
		-v hatchet_password="$password" -f "$ROOT/deploy/postgres/roles.sql"
	psql_admin -c 'ALTER ROLE hatchet CREATEDB'
	for name in contextvault:vault_owner hatchet:hatchet; do
		[[ $(psql_admin -c "SELECT 1 FROM pg_database WHERE datname = '${name%:*}'") == 1 ]] ||
			psql_admin -c "CREATE DATABASE ${name%:*} OWNER ${name#*:}"
	done
	psql_admin -d contextvault -f "$ROOT/deploy/postgres/database.sql"
	hand_over_engine
}

# hand_over_engine gives the engine's database to the login hatchet, where the administrator made it.
hand_over_engine() {
	[[ $(psql_admin -c "SELECT datdba = 'hatchet'::regrole FROM pg_database WHERE datname = 'hatchet'") == f ]] || return 0
	psql_admin -c 'ALTER DATABASE hatchet OWNER TO hatchet'
	psql_admin -d hatchet <<-'SQL'
		SELECT format('ALTER %s public.%I OWNER TO hatchet',
		    CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.relname)
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v')
		  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
		\gexec
		SELECT format('ALTER ROUTINE %s OWNER TO hatchet', p.oid::regprocedure)
		FROM pg_proc p
		WHERE p.pronamespace = 'public'::regnamespace
		  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
		\gexec
		SELECT format('ALTER TYPE public.%I OWNER TO hatchet', t.typname)
		FROM pg_type t
		WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e'
		\gexec
	SQL
}

postgres_env() {
	local at
	at=":$(<"$DEV/postgres.password")@127.0.0.1:$(<"$DEV/postgres.port")"
	export_ours postgres DATABASE_URL "postgres://vault_app_login$at/contextvault?sslmode=disable"
	export_ours postgres SYSTEM_DATABASE_URL "postgres://vault_system_login$at/contextvault?sslmode=disable"
	export_ours postgres MIGRATE_DATABASE_URL "postgres://vault_owner$at/contextvault?sslmode=disable"
	export_ours postgres HATCHET_DATABASE_URL "postgres://hatchet$at/hatchet?sslmode=disable"
	# Tests and measurements create databases; nothing of the vault uses this login.
	export_ours postgres ADMIN_DATABASE_URL "postgres://$PG_USER$at/contextvault?sslmode=disable"
}
