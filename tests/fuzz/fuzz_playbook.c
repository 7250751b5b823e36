/*
 * fuzz_playbook.c - any bytes are a playbook or are refused with a place; the reader never fails
 * otherwise. It reads files, so the bytes go through one in memory.
 */
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/play/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_faults(const struct faults *faults)
{
    for (size_t i = 0; i < faults->n; i++)
        if (!faults->items[i].text || !faults->items[i].src.file)
            BUG("a fault without text or place");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct assets assets = {NULL};
    struct faults faults;
    struct err err = ERR_INIT;
    struct arena arena;
    struct playbook *pb;
    char path[64];

    snprintf(path, sizeof(path), "/dev/shm/pgha-fuzz-%d.yml", (int)getpid());
    if (file_write(path, data, size, 0600, &err) < 0)
        BUG("%s", err.text);
    faults_init(&faults);
    arena_init(&arena);
    pb = playbook_load(&assets, path, &faults);
    if ((pb == NULL) != (faults.n > 0))
        BUG("a playbook with faults, or none without one");
    check_faults(&faults);
    if (pb)
        playbook_describe(pb, &arena);
    playbook_free(pb);
    arena_release(&arena);
    faults_release(&faults);
    unlink(path);
    return 0;
}
