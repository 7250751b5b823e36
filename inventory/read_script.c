/*
 * read_script.c - dynamic inventories: programs that print JSON for `--list` and, where that has no
 * _meta.hostvars, for `--host NAME` (Ansible's plugins/inventory/script.py).
 *
 * A program is run only when it is the very file that the user named: never one that lies in a
 * folder of inventories, never one that anybody may have written, and only when it both may be
 * executed and says how (#! or an ELF header) - on some file systems every file may.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inventory/internal.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/doc/json.h"

#define MAX_MS 120000 /* all of its runs together */

struct script {
    struct inventory *inv;
    struct faults *faults;
    const char *file; /* as the user gave it */
    char *path;       /* absolute, so that PATH is not searched */
    int64_t deadline;
};

static struct source whole(const struct script *s)
{
    return (struct source){.file = s->file};
}

bool inventory_is_program(const char *text, size_t len)
{
    return (len >= 2 && memcmp(text, "#!", 2) == 0) ||
           (len >= 4 && memcmp(text, "\177ELF", 4) == 0);
}

/* NULL, or why it is not run. */
static const char *refusal(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return "it is no file";
    if (st.st_mode & S_IWOTH)
        return "everybody may write to it";
    return NULL;
}

/* What it prints, as JSON; NULL with a fault. */
static struct value *run(struct script *s, const char *option, const char *host)
{
    const char *const argv[] = {s->path, option, host, NULL};
    int64_t left = s->deadline - clock_mono_ms();
    struct err err = ERR_INIT;
    struct value *root = NULL;
    struct str out;
    struct proc proc = {.argv = argv, .timeout_ms = left > 1 ? (int)left : 1, .out = &out};
    const char *name = arena_printf(&s->inv->arena, "%s %s%s%s", s->file, option, host ? " " : "",
                                    host ? host : "");

    str_init(&out, INVENTORY_MAX_BYTES);
    if (proc_run(&proc, &err) == 0) {
        if (host && strspn(out.buf, " \t\r\n") == out.len)
            root = value_map(&s->inv->arena);
        else
            root = json_parse(&s->inv->arena, name, out.buf, out.len, &err);
    }
    if (!root) {
        fault_add(s->faults, whole(s), "the inventory script failed: %s", err.text);
        fault_hint(s->faults, "it must print JSON for --list and exit 0");
    }
    err_release(&err);
    str_release(&out);
    return root;
}

/* Scripts of old print variables only when asked for each host. */
static void ask_each_host(struct script *s)
{
    for (size_t i = 0; i < s->inv->hosts.n; i++) {
        struct inventory_host *host = s->inv->hosts.entries[i].value;
        struct value *vars = run(s, "--host", host->name);

        if (!vars)
            return;
        if (vars->type != VALUE_MAP) {
            fault_add(s->faults, whole(s), "--host %s must print a map of variables", host->name);
            return;
        }
        inventory_read_host_vars(s->inv, host, vars, whole(s), s->faults);
    }
}

void inventory_read_script(struct inventory *inv, const char *path, struct faults *faults)
{
    struct script s = {.inv = inv, .faults = faults, .file = path};
    const char *why = refusal(path);
    const struct value *root;

    if (why) {
        fault_add(faults, whole(&s), "the inventory script is not run: %s", why);
        return;
    }
    s.path = realpath(path, NULL);
    s.deadline = clock_mono_ms() + MAX_MS;
    root = s.path ? run(&s, "--list", NULL) : NULL;
    if (root) {
        inventory_read_list(inv, root, path, faults);
        if (!value_at(root, "_meta.hostvars"))
            ask_each_host(&s);
    }
    free(s.path);
}
