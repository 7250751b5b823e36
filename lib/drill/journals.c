/* journals.c - the journals of a scenario's hosts. */
#include "lib/drill/journals.h"

#include "lib/base/file.h"

enum { JOURNAL_MAX = 4 << 20 };

static int keep(struct drill_stage *s, struct drill_host *h, const char *folder, int64_t since_ms,
                struct err *err)
{
    char *script = xasprintf("journalctl -q --no-pager -o short-precise --since @%lld |\n"
                             "tail -c %d\n",
                             (long long)since_ms / 1000, JOURNAL_MAX);
    char *path = xasprintf("%s/%s.log", folder, h->host->name);
    struct str text;
    int rc;

    str_init(&text, JOURNAL_MAX + 1);
    rc = stage_run(s, h, script, &text, err);
    if (rc == 0)
        rc = file_write(path, text.buf, text.len, 0600, err);
    str_release(&text);
    free(path);
    free(script);
    return rc;
}

int journals_keep(struct drill_stage *s, const char *folder, int64_t since_ms, struct err *err)
{
    int kept = 0;

    if (s->hosts.n == 0 || file_mkdirs(folder, 0700, err) < 0)
        return 0;
    vec_each (h, &s->hosts) {
        struct err own = ERR_INIT;

        if (keep(s, h, folder, since_ms, err->code ? &own : err) == 0)
            kept++;
        err_release(&own);
    }
    return kept;
}
