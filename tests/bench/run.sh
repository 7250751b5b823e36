#!/bin/sh
# Figures against peers run beside them, into docs/benchmarks.md: no pass or fail. About 20 minutes.
cd "$(dirname "$0")/../.." || exit 1
page=docs/benchmarks.md

{
    cat <<END
# Benchmarks

Made by \`make bench\` with version $(./pgha-deploy --version | cut -d' ' -f2), on $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
with $(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, $(uname -sr). Medians; ratios come first, for the machine is not the only one at work.
Each figure has its peer beside it in the same run.

END
    sh tests/bench/cluster.sh && echo && sh tests/bench/scale.sh && echo && sh tests/bench/aws.sh
} >$page.new && mv $page.new $page && cat $page
