/* disk.c - looking at a file system of a host, and filling it. */
#include "lib/drill/disk.h"

#include <inttypes.h>
#include <stdio.h>

#define FACTS_MAX ((size_t)16 << 10)
#define UNIT      "pgha-drill-filler"
#define FILLER    "/run/pgha-drill/filler"

/* ---- whether it may be filled ---- */

/* A line each: "type NAME", "free BYTES", "on DEVICE", and "with DEVICE FOLDER" for folders that
 * something else than PostgreSQL needs. */
static const char look[] =
    "cd \"$folder\"\n"
    "stat -f -c 'type %T' .\n"
    "stat -f -c '%a %S' . | while read -r blocks size; do echo \"free $((blocks * size))\"; done\n"
    "stat -c 'on %d' .\n"
    "for other in / /etc /home /root /run /tmp /usr /var /var/lib /var/lib/etcd /var/log "
    "/var/tmp; do\n"
    "  stat -L -c 'with %d %n' $other 2>/dev/null || :\n"
    "done\n";

struct facts {
    char type[32];
    int64_t free;
    unsigned long long device;
    const char *shared; /* a folder of "with"; NULL: none */
};

static bool parse(const char *text, struct facts *f, struct arena *a)
{
    unsigned seen = 0;

    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        unsigned long long device;
        char other[64];

        if (sscanf(line, "type %31[^\n]", f->type) == 1)
            seen |= 1;
        else if (sscanf(line, "free %" SCNd64, &f->free) == 1)
            seen |= 2;
        else if (sscanf(line, "on %llu", &f->device) == 1)
            seen |= 4;
        else if (seen == 7 && !f->shared && sscanf(line, "with %llu %63s", &device, other) == 2 &&
                 device == f->device)
            f->shared = arena_strdup(a, other);
    }
    return seen == 7;
}

/* Where the kernel says for sure how much there is, and root cannot be left without any. */
static bool can_be_counted(const char *type)
{
    return str_eq(type, "ext2/ext3") || str_eq(type, "xfs"); /* as stat(1) calls them */
}

const char *disk_judge(const char *facts, const char *folder, struct arena *a)
{
    struct facts f = {.free = -1};

    if (!parse(facts, &f, a))
        return arena_printf(a, "the file system of %s is not known", folder);
    if (f.shared)
        return arena_printf(a,
                            "%s is on the file system of %s, and not PostgreSQL alone would be "
                            "without space",
                            folder, f.shared);
    if (!can_be_counted(f.type))
        return arena_printf(a, "%s is on %s, and only ext4 and xfs are filled", folder, f.type);
    if (f.free > DISK_FREE_MAX)
        return arena_printf(a, "%s has %lld GiB free, and at most %lld are filled", folder,
                            (long long)(f.free >> 30), (long long)(DISK_FREE_MAX >> 30));
    return NULL;
}

int disk_unfit(struct drill_stage *s, struct drill_host *h, const char *folder, const char **why,
               struct err *err)
{
    struct str script, facts;
    int rc;

    str_init(&script, STR_MAX_TEXT);
    str_init(&facts, FACTS_MAX);
    str_puts(&script, "set -e\nfolder=");
    str_put_shell(&script, folder);
    str_printf(&script, "\n%s", look);
    rc = stage_run(s, h, script.buf, &facts, err);
    if (rc == 0)
        *why = disk_judge(facts.buf, folder, s->arena);
    str_release(&script);
    str_release(&facts);
    return rc;
}

/* ---- filling ---- */

/* fallocate(1) takes the space without writing to it. Where it cannot have all at once, it tries
 * the half; what is allocated by then stays. */
static const char fill[] =
    "cat >" FILLER " <<'END'\n"
    "exec 9>\"$1/.pgha-drill\" && rm \"$1/.pgha-drill\"\n"
    "disk() { echo $(($(stat -L \"$@\" /proc/self/fd/9))); }\n"
    "while :; do\n"
    "  size=$((64 << 30))\n"
    "  while [ $size -ge 4096 ]; do\n"
    "    free=$(disk -f -c '%a * %S')\n"
    "    [ $free -ge 4096 ] || break\n"
    "    [ $size -le $free ] || size=$free\n"
    "    fallocate -o $(disk -c '%b * %B') -l $size /proc/self/fd/9 2>/dev/null ||\n"
    "      size=$((size / 2))\n"
    "  done\n"
    "  sleep 0.2\n"
    "done\n"
    "END\n"
    "systemd-run --quiet --collect --unit=" UNIT " --property=RuntimeMaxSec=$limit "
    "/bin/sh " FILLER " \"$folder\"\n"
    "for i in $(seq 100); do\n"
    "  free=$(stat -f -c '%a * %S' \"$folder\")\n"
    "  [ $(($free)) -ge 1048576 ] || exit 0\n"
    "  sleep 0.1\n"
    "done\n"
    "echo \"$folder could not be filled\" >&2\n"
    "exit 1\n";

static const char clear[] = "systemctl stop " UNIT " 2>/dev/null || :\nrm -f " FILLER;

int disk_fill(struct drill_stage *s, struct drill_host *h, const char *folder, struct err *err)
{
    struct str script;
    int rc;

    str_init(&script, STR_MAX_TEXT);
    str_puts(&script, "folder=");
    str_put_shell(&script, folder);
    str_printf(&script, "\nlimit=%d\n%s", FAULT_MAX_S, fill);
    rc = fault_begin(s, h, script.buf, clear, err);
    str_release(&script);
    return rc;
}
