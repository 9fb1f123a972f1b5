# shellcheck shell=bash
# Starting, recognising and ending background servers. Sourced by scripts/services.

# started PID prints what tells this process from a later one with the same number; nothing if it has ended.
started() {
	local stat
	if [[ -r /proc/self/stat ]]; then
		stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
		# The name in parentheses may hold anything; the fields after it are safe to split.
		read -ra stat <<<"${stat##*) }"
		[[ ${stat[0]} != Z ]] || return 1 # ended, and nobody has collected it
		printf '%s.%s' "$(</proc/sys/kernel/random/boot_id)" "${stat[19]}"
	else
		ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' '_' | grep .
	fi
}

# .dev/NAME.pid holds three words: process, start, and the .dev it was started for.
remember() { printf '%s %s %s\n' "$2" "$(started "$2")" "$DEV" >"$DEV/$1.pid"; }

pid_of() {
	local pid
	read -r pid _ <"$DEV/$1.pid" && printf '%s' "$pid"
}

# running NAME: the server we started is alive, and is really the one we started.
running() {
	local pid start
	[[ -f $DEV/$1.pid ]] || return 1
	read -r pid start _ <"$DEV/$1.pid" || return 1
	[[ -n $pid && $(started "$pid") == "$start" ]]
}

# A checkout copied together with its .dev/ would take the servers of the original for its own.
refuse_copied_dev() {
	local name home
	for name in postgres redis; do
		running "$name" || continue
		read -r _ _ home <"$DEV/$name.pid"
		if [[ $home != "$DEV" && -e $home/$name.pid ]]; then
			die ".dev is a copy of $home, whose servers are running: remove this copy (rm -rf $DEV) and try again"
		fi
	done
}

# answering NAME SECONDS CHECK…: the server runs and answers. A process that was killed runs for a moment more, after its
# port is free; this waits until it has ended. It ends the program if the server runs and does not answer.
answering() {
	running "$1" || return 1
	if wait_ready "$@"; then return 0; fi
	! running "$1" || fail_with_log "$1" "process $(pid_of "$1") runs and does not answer"
	return 1
}

# launch NAME COMMAND… starts a server in a session of its own. Its input is this function's; its log is .dev/NAME.log.
launch() {
	local name=$1
	shift
	# Descriptor 9 is the lock of scripts/services: a server that kept it open would hold it for ever.
	(cd / && exec setsid "$@") <&0 >>"$DEV/$name.log" 2>&1 9>&- &
	remember "$name" $!
}

# wait_ready NAME SECONDS CHECK… ends as soon as CHECK succeeds, the server dies, or time is up.
wait_ready() {
	local name=$1 deadline=$((SECONDS + $2))
	shift 2
	until "$@"; do
		running "$name" || return 1
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

stop_server() {
	local name=$1 signal=$2 pid deadline
	if ! running "$name"; then
		say "$name: not running"
		rm -f "$DEV/$name.pid"
		return
	fi
	pid=$(pid_of "$name")
	kill "-$signal" "$pid"
	deadline=$((SECONDS + 30))
	while running "$name"; do
		if ((SECONDS >= deadline)); then
			say "$name: process $pid has not ended after 30 s, killing it"
			kill -KILL "$pid"
			sleep 1
			break
		fi
		sleep 0.05
	done
	rm -f "$DEV/$name.pid"
	say "$name: stopped"
}

# fail_with_log NAME MESSAGE
fail_with_log() {
	say "$1: $2; the last lines of .dev/$1.log:"
	tail -n 20 "$DEV/$1.log" >&2 || true
	exit 1
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# keep_port NAME prints the port kept from the last start, or a new one where there is none or it is taken.
# 20000 to 31999 lies below the range from which Linux takes the ports of outgoing connections.
keep_port() {
	local file=$DEV/$1.port port=
	[[ ! -f $file ]] || port=$(<"$file")
	while [[ -z $port ]] || listening "$port"; do
		port=$((20000 + (RANDOM << 15 | RANDOM) % 12000))
	done
	printf '%s\n' "$port" >"$file"
	printf '%s' "$port"
}

# keep_secret NAME makes a password once and keeps it where only we can read it.
keep_secret() {
	[[ -s $DEV/$1.password ]] ||
		(umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$DEV/$1.password")
}

is_root() { ((EUID == 0)); }

# server_user NAME… prints the first of these system users that exists, and else makes the last one.
server_user() {
	local name
	for name; do
		if id -u "$name" >/dev/null 2>&1; then
			printf '%s' "$name"
			return
		fi
	done
	useradd --system --no-create-home --shell /usr/sbin/nologin "$name" >&2
	printf '%s' "$name"
}

# drop_to USER prints, one word a line, the command prefix that runs what follows as USER with no special rights.
drop_to() {
	printf '%s\n' setpriv "--reuid=$1" "--regid=$(id -g "$1")" --init-groups --no-new-privs
}
