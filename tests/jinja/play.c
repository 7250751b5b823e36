/*
 * play.c - runs a playbook with this machine as the one host, for tests/jinja/lookups.t.
 *
 * usage: play PLAYBOOK NAME=VALUE
 */
#include <stdio.h>

#include "lib/play/play.h"

static int play(const char *path, const char *name, const char *value, struct err *err)
{
    static const char hosts[] = "all: {hosts: {one: {}}}";
    struct assets assets = {NULL};
    struct play_options options = {.transport = &play_transport_local};
    struct arena arena = ARENA_INIT;
    struct value *extra = value_map(&arena);
    struct play_result result;
    struct inventory inventory;
    struct playbook *playbook;
    struct faults faults;
    int rc = -1;

    value_map_set(&arena, extra, name, value_str(&arena, value));
    options.extra_vars = extra;
    options.pending_dir = arena_printf(&arena, "%s.pending", value);
    faults_init(&faults);
    inventory_init(&inventory);
    playbook = inventory_load_text(&inventory, "hosts.yml", hosts, strlen(hosts), &faults) == 0
                   ? playbook_load(&assets, path, &faults)
                   : NULL;
    if (playbook) {
        rc = play_run(playbook, &assets, &inventory, &options, &result, err);
        play_result_release(&result);
    } else {
        faults_to_err(&faults, err);
    }
    playbook_free(playbook);
    inventory_release(&inventory);
    faults_release(&faults);
    arena_release(&arena);
    return rc;
}

int main(int argc, char **argv)
{
    char *equals = argc == 3 ? strchr(argv[2], '=') : NULL;
    struct err err = ERR_INIT;

    if (!equals) {
        fputs("usage: play PLAYBOOK NAME=VALUE\n", stderr);
        return 64;
    }
    *equals = '\0';
    if (play(argv[1], argv[2], equals + 1, &err) == 0)
        return 0;
    fprintf(stderr, "play: %s\n", err.text);
    err_release(&err);
    return 1;
}
