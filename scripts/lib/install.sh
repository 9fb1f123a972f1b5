# shellcheck shell=bash
# Installing what is missing, on Debian and its relatives. Sourced by scripts/services.

# need_apt WHAT ends with one clear message where this machine is not for us to change.
need_apt() {
	command -v apt-get >/dev/null ||
		die "missing: $1. Install it (PostgreSQL >= 14 with pgvector, Redis >= 6), or set DATABASE_URL, HATCHET_DATABASE_URL and REDIS_URL to servers of your own"
	is_root || sudo -n true 2>/dev/null ||
		die "missing: $1. Run this once: sudo $ROOT/scripts/services install (or set DATABASE_URL, HATCHET_DATABASE_URL and REDIS_URL to servers of your own)"
}

# can_apt: packages can be installed here.
can_apt() { command -v apt-get >/dev/null && { is_root || sudo -n true 2>/dev/null; }; }

as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }

INSTALL_LOG=$DEV/install.log

# quietly WHAT COMMAND… keeps the output in the log and shows its end on failure.
quietly() {
	local what=$1
	shift
	"$@" </dev/null >>"$INSTALL_LOG" 2>&1 9>&- || {
		say "$what failed; the last lines of $INSTALL_LOG:"
		tail -n 20 "$INSTALL_LOG" >&2
		exit 1
	}
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -y -o DPkg::Lock::Timeout=300 "$@"; }

apt_update() {
	[[ -z ${apt_updated:-} ]] || return 0
	say "apt-get update"
	apt update </dev/null >>"$INSTALL_LOG" 2>&1 9>&- || {
		sleep 3
		quietly "apt-get update" apt update
	}
	apt_updated=1
}

apt_has() { [[ $(apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[0-9]* ]]; }

# apt_install PACKAGE… without the service that the package would start: ours is a private one.
apt_install() {
	local policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.d/contextvault-dev.conf
	local made=("$cluster")
	say "apt-get install $*"
	as_root mkdir -p "$(dirname "$cluster")"
	echo 'create_main_cluster = false' | as_root tee "$cluster" >/dev/null
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod 0755 "$policy"
		made+=("$policy")
	fi
	local status=0
	(quietly "apt-get install" apt install --no-install-recommends "$@") || status=$?
	as_root rm -f "${made[@]}"
	((status == 0)) || exit "$status"
}

install_postgres() {
	need_apt "PostgreSQL >= $PG_MIN with pgvector"
	apt_update
	find_postgres || apt_install postgresql
	find_postgres || die "postgres: apt installed no PostgreSQL $PG_MIN or newer; set DATABASE_URL to a server of your own"
	has_pgvector || install_pgvector
}

install_pgvector() {
	if apt_has "postgresql-$PG_VERSION-pgvector"; then
		apt_install "postgresql-$PG_VERSION-pgvector"
	else
		build_pgvector
	fi
}

# build_pgvector: Debian has the extension since release 13. For an older release its source package is built against
# the PostgreSQL in use. The sources list is one of our own, in a temporary folder: the machine's stays as it is.
build_pgvector() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg work mirror
	apt_install build-essential dpkg-dev "postgresql-server-dev-$PG_VERSION"
	[[ -f $keyring ]] || apt_install debian-archive-keyring
	# shellcheck disable=SC2016 # $(REPO_URI) is apt's
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)
	work=$(mktemp -d)
	echo "deb-src [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} trixie main" >"$work/sources.list"
	mkdir -p "$work/lists/partial" "$work/build"
	local own=(-o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/none"
		-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "APT::Sandbox::User=root")

	say "building pgvector for PostgreSQL $PG_VERSION from Debian's source package"
	quietly "apt-get update for pgvector's source" timeout 600 apt-get "${own[@]}" update
	quietly "apt-get source pgvector" in_dir "$work/build" timeout 600 apt-get "${own[@]}" source pgvector
	quietly "building pgvector" make -C "$work"/build/pgvector-*/ -j2 PG_CONFIG="$PG_BIN/pg_config" OPTFLAGS= with_llvm=no
	quietly "installing pgvector" as_root make -C "$work"/build/pgvector-*/ install PG_CONFIG="$PG_BIN/pg_config" OPTFLAGS= with_llvm=no
	rm -rf "$work"
}

in_dir() { (cd "$1" && shift && "$@"); }

install_redis() {
	need_apt "Redis >= $REDIS_MIN"
	apt_update
	apt_install redis-server
	# The package's own service would come up at the next boot.
	! command -v systemctl >/dev/null || as_root systemctl disable redis-server >/dev/null 2>&1 || true
}

has_chromium() { command -v chromium >/dev/null; }

# install_chromium: only the tests of the console need it. Where it cannot be installed, they are skipped, except in CI.
install_chromium() {
	if ! can_apt; then
		say "chromium: missing, and it cannot be installed here; the tests in a browser are skipped"
		return
	fi
	apt_update
	if ! apt_has chromium; then
		say "chromium: apt has no package of this name; the tests in a browser are skipped"
		return
	fi
	apt_install chromium fonts-dejavu-core
	has_chromium || die "chromium: apt installed no program of this name"
}

# Debian keeps the program in a folder that is not in the PATH of every user.
has_pgbouncer() { command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]]; }

# install_pgbouncer: only tests need it, which start their own. Where it cannot be installed, they are skipped.
install_pgbouncer() {
	if ! can_apt; then
		say "pgbouncer: missing, and it cannot be installed here; its tests are skipped"
		return
	fi
	apt_update
	apt_install pgbouncer
	! command -v systemctl >/dev/null || as_root systemctl disable pgbouncer >/dev/null 2>&1 || true
	has_pgbouncer || die "pgbouncer: apt installed no program of this name"
}

# has_httpx: the tests of sdk/python find an interpreter the same way.
has_httpx() {
	local python
	for python in python3 /usr/bin/python3; do
		! "$python" -c 'import httpx, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || return 0
	done
	return 1
}

# install_httpx: only the tests of sdk/python need it. Where it cannot be installed, they are skipped.
install_httpx() {
	if ! can_apt; then
		say "python3-httpx: missing, and it cannot be installed here; the tests of sdk/python are skipped"
		return
	fi
	apt_update
	apt_install python3-httpx
	has_httpx || say "python3-httpx: Python 3.11 or later is needed; the tests of sdk/python are skipped"
}

# has_node: Node 20 or later, with npm.
has_node() {
	command -v npm >/dev/null && node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null
}
