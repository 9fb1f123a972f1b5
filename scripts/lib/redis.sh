# shellcheck shell=bash
# The private Redis: a cache in memory, nothing on disk. Sourced by scripts/services.

REDIS_MIN=6

has_redis() {
	local version
	command -v redis-server >/dev/null || return 1
	version=$(redis-server --version)
	version=${version#*v=}
	((${version%%.*} >= REDIS_MIN))
}

start_redis() {
	if [[ -s $DEV/redis.port ]] && answering redis 20 redis_answers "$(<"$DEV/redis.port")"; then
		say "redis: already running on 127.0.0.1:$(<"$DEV/redis.port")"
		return
	fi
	if ! has_redis; then
		install_redis
		has_redis || die "redis: installed, but redis-server is older than version $REDIS_MIN"
	fi
	keep_secret redis
	local port attempt as_redis=()
	if is_root; then mapfile -t as_redis < <(drop_to "$(server_user redis postgres)"); fi
	for attempt in 1 2 3; do
		port=$(keep_port redis)
		redis_config "$port"
		: >"$DEV/redis.log"
		# The configuration goes in by standard input: the server needs no access to .dev, and no password shows in ps.
		launch redis "${as_redis[@]}" redis-server - <"$DEV/redis.conf"
		if wait_ready redis 20 redis_answers "$port"; then break; fi
		if ((attempt < 3)) && grep -qi 'address already in use' "$DEV/redis.log"; then
			rm -f "$DEV/redis.port"
			continue
		fi
		running redis && stop_server redis TERM
		fail_with_log redis "did not start"
	done
	say "redis: started on 127.0.0.1:$port"
}

redis_config() {
	(
		umask 077
		cat >"$DEV/redis.conf" <<-CONF
			bind 127.0.0.1
			port $1
			requirepass $(<"$DEV/redis.password")
			save ""
			appendonly no
			daemonize no
		CONF
	)
}

# redis_answers PORT: a server on the port knows our password, so it is ours.
redis_answers() {
	local reply=
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
	printf 'AUTH %s\r\n' "$(<"$DEV/redis.password")" >&3
	read -r -t 2 reply <&3 || true
	exec 3>&-
	[[ $reply == +OK* ]]
} 2>/dev/null

redis_env() {
	export_ours redis REDIS_URL "redis://default:$(<"$DEV/redis.password")@127.0.0.1:$(<"$DEV/redis.port")/0"
}
