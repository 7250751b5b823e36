/* judge.c - a measured result against what was promised. */
#include "lib/drill/drill.h"

static void PRINTF_LIKE(3, 4) blame(struct drill_result *r, struct arena *a, const char *fmt, ...)
{
    va_list args;
    const char *text;

    va_start(args, fmt);
    text = arena_vprintf(a, fmt, args);
    va_end(args);
    vec_push(&r->faults, text);
}

static void judge_channel(struct drill_result *r, const struct drill_channel *c, struct arena *a)
{
    if (c->limit_ms >= 0 && c->gap_ms > c->limit_ms)
        blame(r, a, "%s: no answer for %.1f s, and the cluster file allows %.1f s", c->name,
              c->gap_ms / 1000, c->limit_ms / 1000);
    if (c->bound_ms >= 0 && c->gap_ms > c->bound_ms)
        blame(r, a, "%s: no answer for %.1f s, and its bound is %.1f s", c->name, c->gap_ms / 1000,
              c->bound_ms / 1000);
}

static void judge_copy(struct drill_result *r, const struct drill_copy *copy, int64_t max_rpo,
                       struct arena *a)
{
    const struct ledger_account *l = &copy->account;

    if (max_rpo >= 0 && l->missing > (size_t)max_rpo)
        blame(r, a, "%s lacks %zu writes that were acknowledged: of writer %lld, %u to %u first",
              copy->member, l->missing, (long long)l->missing_writer, l->missing_from,
              l->missing_to);
    if (l->doubled)
        blame(r, a, "%s has %zu writes twice", copy->member, l->doubled);
    if (l->reordered)
        blame(r, a, "%s has %zu writes before the one that came before them", copy->member,
              l->reordered);
    if (l->altered)
        blame(r, a, "%s has %zu writes that were changed", copy->member, l->altered);
    if (l->invented)
        blame(r, a, "%s has %zu writes that nobody sent", copy->member, l->invented);
}

/* Members may have lost something together; but what one has, all must have. */
static void judge_agreement(struct drill_result *r, struct arena *a)
{
    const struct drill_copy *first = r->copies.items;

    vec_each (c, &r->copies)
        if (c->account.missing != first->account.missing ||
            c->account.unknown_kept != first->account.unknown_kept)
            blame(r, a, "%s and %s do not have the same rows", first->member, c->member);
}

void drill_judge(struct drill_result *r, int64_t max_rpo, struct arena *a)
{
    vec_each (c, &r->channels)
        judge_channel(r, c, a);
    vec_each (c, &r->copies)
        judge_copy(r, c, max_rpo, a);
    judge_agreement(r, a);
    if (r->went_back)
        blame(r, a, "%zu reads went back in time on their connection", r->went_back);
    r->outcome = r->faults.n ? DRILL_FAILED : DRILL_PASSED;
}
