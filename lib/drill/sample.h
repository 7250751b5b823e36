/*
 * sample.h - what one client of a drill measured, and the figures of many: pure, without a
 * connection.
 *
 * Times are microseconds since the drill's clients began. A series belongs to one thread.
 */
#ifndef PGHA_SAMPLE_H
#define PGHA_SAMPLE_H

#include "lib/base/vec.h"
#include "lib/drill/report.h"

#define SAMPLE_MAX ((size_t)1 << 20) /* of one client; 16 MB */

/* One attempt. */
struct sample {
    int64_t start_us;
    uint32_t took_us; /* an hour at most */
    bool connect;     /* or a statement */
    bool answered;    /* without an error */
};

/* What the clients were told instead of an answer; a text that is too many is counted only. */
#define SAMPLE_MAX_TEXTS 24
#define SAMPLE_TEXT_SIZE 160

struct sample_text {
    char sqlstate[6]; /* "": none, as for a failed connection */
    char text[SAMPLE_TEXT_SIZE];
    size_t count;
};

struct sample_texts {
    struct sample_text items[SAMPLE_MAX_TEXTS]; /* in the order they came up */
    size_t n;
    size_t others;
};

struct sample_series {
    VEC(struct sample) samples; /* by their ends */
    struct sample_texts texts;
};

void sample_release(struct sample_series *s);
/* -1: it has SAMPLE_MAX already. */
int sample_add(struct sample_series *s, bool connect, bool answered, int64_t start_us,
               int64_t end_us) MUST_USE;
void sample_tell(struct sample_texts *t, const char *sqlstate, const char *text);
void sample_merge(struct sample_texts *t, const struct sample_texts *more);

/*
 * The figures of an address from its clients' series: clients, answered, failed, the gaps, the
 * percentiles and the slots; the rest of out is the caller's. Releases nothing; slots are out's.
 *
 * A gap is a time without an answer to a statement; the beginning of the drill and its end, end_us,
 * count as answers. With a fault (fault_us >= 0) only gaps that end after it are looked at. DURING
 * is what was under way at any time from the fault until the answer that ended the longest gap;
 * BEFORE ended earlier, AFTER began later. Without a fault all is BEFORE.
 *
 * Percentiles are of what was answered, by the nearest rank.
 */
void sample_figures(const struct sample_series *const *series, size_t n, int64_t fault_us,
                    int64_t end_us, struct drill_channel *out);

#endif
