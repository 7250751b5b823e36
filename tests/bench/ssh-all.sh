#!/bin/sh
# The peer of a play: the command on every host at once, a connection each. usage: ssh-all.sh KEY KNOWN_HOSTS COMMAND ADDRESS...
key=$1 known_hosts=$2 command=$3
shift 3
for address in "$@"; do
    ssh -F none -i "$key" -o IdentitiesOnly=yes -o UserKnownHostsFile="$known_hosts" "root@$address" "$command" &
done
wait
