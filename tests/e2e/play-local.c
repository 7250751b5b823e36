/*
 * play-local.c - a playbook whose hosts are all this machine, for 46-play-blocks.t: play-local
 * [-C] [-s TASK] [-t TAG] [-x SKIPPED_TAG] [-v] PLAYBOOK INVENTORY... Prints the recap, and with -v
 * each event; the exit status is ansible-playbook's.
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/play/play.h"

static void tell(struct event_sink *sink, const struct event *e)
{
    UNUSED(sink);
    if (e->text)
        fprintf(stderr, "%s: %s: %s\n", e->host ? e->host : "-", e->task ? e->task : "-", e->text);
}

static void print_recap(const struct play_result *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct host_result *h = &r->hosts[i];

        printf("%s : ok=%d changed=%d unreachable=%d failed=%d skipped=%d rescued=%d ignored=%d\n",
               h->host, h->ok, h->changed, h->unreachable, h->failed, h->skipped, h->rescued,
               h->ignored);
    }
}

static int play(const char *path, char **hosts, int n, struct play_options *options,
                struct faults *faults, struct err *err)
{
    struct assets assets = {NULL};
    struct inventory inventory;
    struct playbook *playbook = NULL;
    struct play_result result;
    char *folder = path_dir(path), *here = *path == '/' ? xstrdup(path) : xasprintf("./%s", path);
    int rc;

    inventory_init(&inventory);
    if (inventory_load_all(&inventory, (const char *const *)hosts, (size_t)n, faults) == 0 &&
        inventory_load_near(&inventory, folder, faults) == 0)
        playbook = playbook_load(&assets, here, faults);
    if (playbook) {
        rc = play_run(playbook, &assets, &inventory, options, &result, err);
        print_recap(&result);
        play_result_release(&result);
    } else {
        rc = faults_to_err(faults, err);
    }
    free(folder);
    free(here);
    playbook_free(playbook);
    inventory_release(&inventory);
    return rc;
}

int main(int argc, char **argv)
{
    struct event_sink sink = {.fn = tell};
    const char *tags[2] = {NULL, NULL}, *skipped[2] = {NULL, NULL};
    struct play_options options = {.transport = &play_transport_local};
    struct faults faults;
    struct err err = ERR_INIT;
    char pending[] = "/tmp/pgha-play-local-XXXXXX";
    int option, rc;

    while ((option = getopt(argc, argv, "Cs:t:x:v")) != -1) {
        options.check |= option == 'C';
        if (option == 's')
            options.start_at = optarg;
        if (option == 't')
            tags[0] = optarg;
        if (option == 'x')
            skipped[0] = optarg;
        if (option == 'v')
            options.events = &sink;
    }
    if (argc - optind < 2 || !mkdtemp(pending))
        return 64;
    options.tags = tags[0] ? tags : NULL;
    options.skip_tags = skipped[0] ? skipped : NULL;
    options.pending_dir = pending;
    faults_init(&faults);
    rc = play(argv[optind], argv + optind + 1, argc - optind - 1, &options, &faults, &err);
    if (rc < 0)
        fprintf(stderr, "%s\n", err.text);
    err_release(&err);
    if (file_remove_tree(pending, &err) < 0)
        err_release(&err);
    faults_release(&faults);
    return rc < 0 ? 2 : 0;
}
