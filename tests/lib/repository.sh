# repository.sh - a repository of packages with the layout of PostgreSQL's own, signed with a throw-away key. After bare.sh.
#
#   pgdg_repository ADDRESS [RELEASE]    serves it at $repository_uri, suite $repository_suite, component main, key in the
#                                        file $repository_key and at $repository_uri/keys/ACCC.asc; before package_proxy
#
# The packages are Debian's, of RELEASE (trixie), with their own names and versions: $repository_packages.
# shellcheck shell=sh
repository_cache=${REPOSITORY_CACHE:-/var/cache/pgha-deploy/tests/repository}
repository_packages='postgresql-17 postgresql-client-17 postgresql-common postgresql-client-common libpq5'

# apt-get for another release than this machine's, with nothing of this machine's but the keyring.
apt_of() ( # apt_of RELEASE COMMAND...
    apt_dir=$repository_cache/$1
    mkdir -p "$apt_dir/sources.list.d" "$apt_dir/preferences.d" "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
    : >"$apt_dir/status"
    for archive in $(mirrors); do
        case $archive in *-security) suites=$1-security ;; *) suites="$1 $1-updates" ;; esac
        for suite in $suites; do
            echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main"
        done
    done >"$apt_dir/sources.list"
    shift
    apt-get -q -o Dir::Etc="$apt_dir" -o Dir::State::Lists="$apt_dir/lists" -o Dir::State::Status="$apt_dir/status" \
        -o Dir::Cache="$apt_dir/cache" -o APT::Sandbox::User=root "$@"
)

fetch_packages() { # fetch_packages RELEASE FOLDER
    apt_of "$1" update >&2 || return 1
    mkdir -p "$2"
    # shellcheck disable=SC2086
    (cd "$2" && apt_of "$1" download $repository_packages >&2)
}

make_key() { # make_key FOLDER
    (umask 077 && mkdir -p "$1") &&
        gpg --homedir "$1" --batch --quiet --passphrase '' --quick-generate-key 'pgha-deploy test repository' ed25519 sign 1d &&
        gpg --homedir "$1" --batch --armor --export >"$repository/keys/ACCC.asc"
}

sign_release() { # sign_release KEYS FOLDER
    gpg --homedir "$1" --batch --yes --clear-sign --output "$2/InRelease" "$2/Release" &&
        gpg --homedir "$1" --batch --yes --armor --detach-sign --output "$2/Release.gpg" "$2/Release"
}

write_indexes() { # write_indexes ARCHITECTURE: from the top of the repository
    binary=dists/$repository_suite/main/binary-$1
    mkdir -p "$binary"
    apt-ftparchive packages pool >"$binary/Packages" && gzip --keep --force "$binary/Packages" || return 1
    apt-ftparchive -o APT::FTPArchive::Release::Origin=apt.postgresql.org \
        -o APT::FTPArchive::Release::Label='PostgreSQL for Debian/Ubuntu repository' \
        -o APT::FTPArchive::Release::Suite="$repository_suite" -o APT::FTPArchive::Release::Codename="$repository_suite" \
        -o APT::FTPArchive::Release::Architectures="$1" -o APT::FTPArchive::Release::Components=main \
        release "dists/$repository_suite" >"$work/Release" && mv "$work/Release" "dists/$repository_suite/Release"
}

pgdg_repository() { # pgdg_repository ADDRESS [RELEASE]
    repository=$work/repository
    repository_release=${2:-trixie}
    repository_suite=$repository_release-pgdg
    repository_uri=http://$1
    repository_key=$repository/keys/ACCC.asc
    mkdir -p "$repository/pool/main/p" "$repository/keys"
    fetch_packages "$repository_release" "$repository/pool/main/p" &&
        (cd "$repository" && write_indexes "$(dpkg --print-architecture)") &&
        make_key "$work/gpg" && sign_release "$work/gpg" "$repository/dists/$repository_suite" || return 1
    gpgconf --homedir "$work/gpg" --kill all
    setpriv --pdeathsig TERM python3 -m http.server 80 --bind "$1" --directory "$repository" >"$work/repository.log" 2>&1 &
    servers="$servers $!"
    proxy_serves="$proxy_serves $repository_uri"
    wait_for 10 curl --silent --fail --noproxy '*' --output /dev/null "$repository_uri/keys/ACCC.asc"
}
