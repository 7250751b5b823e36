/*
 * report_timeline.c - where everything stands in a scenario's timeline.
 *
 *      labels of events, in as many lanes as they need
 *      a row for each channel: its answers over time, its gap
 *      the axis, in seconds
 */
#include <math.h>

#include "lib/base/utf8.h"
#include "lib/drill/report_page.h"
#include "lib/drill/report_parts.h"

enum {
    WIDTH = 1000,
    LEFT = 124, /* of it are names of channels */
    RIGHT = 12,
    PLOT = WIDTH - LEFT - RIGHT,
    LANE = 19,
    LANES_MAX = 14, /* later labels are left out; the list below the timeline has them */
    ROW = 58,
    ROW_GAP = 14,
    STEP = 3, /* of the outline, at least */
    AXIS = 26,
    LETTER = 7,      /* of a label, wider than the usual one is */
    LABEL_MAX = 56,  /* letters */
    LABEL_SPACE = 9, /* between a label and its line, and the next */
    GAP_LABEL = 80,
    TICKS_MAX = 12,
};

struct scene {
    const struct drill_result *result;
    struct arena *arena;
    double span_ms;
    double top; /* of the first row */
};

/* ---- places ---- */

static struct value *place(double at, struct arena *a)
{
    return value_float(a, round(at * 10) / 10);
}

static void put_place(struct scene *s, struct value *map, const char *key, double at)
{
    value_map_set(s->arena, map, key, place(at, s->arena));
}

static void put_text(struct scene *s, struct value *map, const char *key, const char *text)
{
    value_map_set(s->arena, map, key, value_str(s->arena, drill_text(text)));
}

static double x_of(const struct scene *s, double ms)
{
    return LEFT + fmin(ms / s->span_ms, 1) * PLOT;
}

static double later(double a, double b)
{
    return a > b ? a : b;
}

/* From the first moment to the last that anything tells of. */
static double span_of(const struct drill_result *r)
{
    double ms = r->length_ms;

    vec_each (e, &r->events)
        ms = later(ms, e->at_ms);
    vec_each (c, &r->channels) {
        ms = later(ms, c->gap_from_ms + c->gap_ms);
        ms = later(ms, (double)c->slots.n * DRILL_SLOT_MS);
    }
    return ms;
}

/* ---- the axis ---- */

/* 1, 2 or 5 times a power of ten, so that there are not too many. */
static double tick_step(double span_ms)
{
    static const double steps[] = {1, 2, 5};
    double power = 100;

    for (size_t i = 0;; i++) {
        if (i == ARRAY_LEN(steps)) {
            i = 0;
            power *= 10;
        }
        if (span_ms / (steps[i] * power) <= TICKS_MAX)
            return steps[i] * power;
    }
}

static struct value *axis(struct scene *s)
{
    struct value *ticks = value_list(s->arena);
    double step = tick_step(s->span_ms);

    for (int i = 0; i * step <= s->span_ms; i++) {
        struct value *tick = value_map(s->arena);

        put_place(s, tick, "x", x_of(s, i * step));
        put_text(s, tick, "text",
                 arena_printf(s->arena, "%.*f s", step < 1000 ? 1 : 0, i * step / 1000));
        value_list_add(s->arena, ticks, tick);
    }
    return ticks;
}

/* ---- labels of events ---- */

struct label {
    const struct drill_event *event;
    const char *text;
    double x, from, to; /* of its line; what it covers */
    bool at_left;       /* of its line, for there is no room at its right */
    bool placed;
    int lane; /* from the rows upwards */
};

/* At most so many letters, the last then an ellipsis. */
static const char *shortened(const char *text, size_t max, struct arena *a)
{
    size_t len = strlen(text), at = 0, kept = 0;

    for (size_t letters = 0; at < len; letters++) {
        uint32_t code;

        if (letters == max)
            return arena_printf(a, "%.*s\xE2\x80\xA6", (int)kept, text);
        if (letters < max - 1)
            kept = at + utf8_decode(text + at, len - at, &code);
        at += utf8_decode(text + at, len - at, &code);
    }
    return text;
}

static size_t letters_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static struct label label_of(struct scene *s, const struct drill_event *e)
{
    const char *text = e->text && *e->text ? e->text : drill_text(e->kind);
    struct label l = {.event = e, .x = x_of(s, e->at_ms)};
    double width;

    l.text = shortened(text, LABEL_MAX, s->arena);
    width = (double)(letters_of(l.text) + strlen("99.99 s  ")) * LETTER + 2 * LABEL_SPACE;
    l.at_left = l.x + width > WIDTH && l.x - width > 0;
    l.from = l.at_left ? l.x - width : l.x;
    l.to = l.at_left ? l.x : l.x + width;
    return l;
}

/* Above all labels placed before whose room it needs. */
static void place_label(struct label *labels, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (labels[k].placed && labels[i].from < labels[k].to && labels[k].from < labels[i].to &&
            labels[i].lane <= labels[k].lane)
            labels[i].lane = labels[k].lane + 1;
    labels[i].placed = true;
}

/* Later events are nearer to the rows: a label lies above the lines that it reaches over, and the
 * line of an earlier event passes none at its right. Those at the left of their lines come last,
 * as they reach back over others. */
static void choose_lanes(struct label *labels, size_t n)
{
    for (size_t i = n; i-- > 0;)
        if (!labels[i].at_left)
            place_label(labels, n, i);
    for (size_t i = 0; i < n; i++)
        if (labels[i].at_left)
            place_label(labels, n, i);
}

static const char *kind_class(const char *kind)
{
    static const char *const kinds[] = {"fault", "promoted", "balancer",
                                        "write", "healed",   "whole"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(kind, kinds[i]))
            return kinds[i];
    return "other";
}

static struct value *marker(struct scene *s, const struct label *l)
{
    struct value *map = value_map(s->arena);
    double y = s->top - ROW_GAP - l->lane * LANE;

    put_place(s, map, "x", l->x);
    put_place(s, map, "y", y);
    put_place(s, map, "text_x", l->at_left ? l->x - LABEL_SPACE : l->x + LABEL_SPACE);
    put_text(s, map, "anchor", l->at_left ? "end" : "start");
    put_text(s, map, "class", kind_class(l->event->kind));
    put_text(s, map, "kind", l->event->kind);
    put_text(s, map, "time", arena_printf(s->arena, "%.2f s", l->event->at_ms / 1000));
    put_text(s, map, "text", l->text);
    put_text(s, map, "title", l->event->text);
    value_map_set(s->arena, map, "labelled", value_bool(s->arena, l->lane < LANES_MAX));
    return map;
}

static struct value *markers(struct scene *s)
{
    size_t n = s->result->events.n;
    struct value *list = value_list(s->arena);
    struct label *labels = arena_alloc(s->arena, (n + 1) * sizeof(*labels));
    int lanes = 0;

    for (size_t i = 0; i < n; i++)
        labels[i] = label_of(s, &s->result->events.items[i]);
    choose_lanes(labels, n);
    for (size_t i = 0; i < n; i++)
        if (labels[i].lane >= lanes)
            lanes = labels[i].lane + 1;
    s->top = (lanes < LANES_MAX ? lanes : LANES_MAX) * LANE + ROW_GAP;
    for (size_t i = 0; i < n; i++)
        value_list_add(s->arena, list, marker(s, &labels[i]));
    return list;
}

/* ---- answers ---- */

/* Slots are joined until each step of the line is wide enough to be seen. */
struct steps {
    VEC(double) rates; /* answers a second */
    double highest, step_ms;
};

static void join_slots(const struct scene *s, const struct drill_channel *c, struct steps *out)
{
    size_t together = 1 + (size_t)(s->span_ms / DRILL_SLOT_MS * STEP / PLOT);

    *out = (struct steps){.step_ms = (double)together * DRILL_SLOT_MS};
    for (size_t i = 0; i < c->slots.n; i += together) {
        size_t end = i + together < c->slots.n ? i + together : c->slots.n;
        double answers = 0, rate;

        for (size_t k = i; k < end; k++)
            answers += c->slots.items[k];
        rate = answers * 1000 / ((double)(end - i) * DRILL_SLOT_MS);
        out->highest = later(out->highest, rate);
        vec_push(&out->rates, rate);
    }
}

/* The outline of the answers above the row's base. */
static const char *outline(const struct scene *s, const struct steps *steps, double base)
{
    struct str path;
    const char *text;
    double height = 0, before = 0;

    str_init(&path, STR_MAX_TEXT);
    str_printf(&path, "M%d %.1f", LEFT, base);
    for (size_t i = 0; i < steps->rates.n; i++) {
        before = height;
        height = steps->highest > 0 ? steps->rates.items[i] / steps->highest * ROW : 0;
        if (fabs(height - before) >= 0.1)
            str_printf(&path, "H%.1fV%.1f", x_of(s, (double)i * steps->step_ms), base - height);
        else
            height = before;
    }
    str_printf(&path, "H%.1fV%.1fZ", x_of(s, (double)steps->rates.n * steps->step_ms), base);
    text = arena_strdup(s->arena, path.buf);
    str_release(&path);
    return text;
}

static const char *ms_text(double ms, struct arena *a)
{
    return arena_printf(a, "%s ms", drill_count_text((size_t)llround(ms), a));
}

/* The label stands inside of the gap, or where there is room beside it. */
static struct value *gap(struct scene *s, const struct drill_channel *c)
{
    struct value *map = value_map(s->arena);
    double x = x_of(s, c->gap_from_ms), end = x_of(s, c->gap_from_ms + c->gap_ms);
    bool inside = end - x >= GAP_LABEL, at_left = end + GAP_LABEL > WIDTH;
    double text_x = inside ? (x + end) / 2 : at_left ? x - LABEL_SPACE : end + LABEL_SPACE;

    put_place(s, map, "x", x);
    put_place(s, map, "width", later(end - x, 1.5));
    put_text(s, map, "text", ms_text(c->gap_ms, s->arena));
    put_place(s, map, "text_x", text_x);
    put_text(s, map, "anchor", inside ? "middle" : at_left ? "end" : "start");
    put_text(s, map, "from", arena_printf(s->arena, "%.2f s", c->gap_from_ms / 1000));
    return map;
}

/* Where the gap had to be over; null when that is beyond the end. */
static struct value *bound(struct scene *s, const struct drill_channel *c)
{
    double allowed_ms = drill_allowed_ms(c), at_ms = c->gap_from_ms + allowed_ms;
    struct value *map;

    if (allowed_ms < 0 || at_ms > s->span_ms)
        return value_null(s->arena);
    map = value_map(s->arena);
    put_place(s, map, "x", x_of(s, at_ms));
    put_text(s, map, "text", ms_text(allowed_ms, s->arena));
    return map;
}

static struct value *row(struct scene *s, size_t i)
{
    const struct drill_channel *c = &s->result->channels.items[i];
    struct value *map = value_map(s->arena);
    double y = s->top + (double)i * (ROW + ROW_GAP);
    struct steps steps;

    join_slots(s, c, &steps);
    put_text(s, map, "name", c->name);
    put_place(s, map, "y", y);
    put_place(s, map, "base", y + ROW);
    put_text(s, map, "outline", outline(s, &steps, y + ROW));
    put_text(
        s, map, "highest",
        arena_printf(s->arena, "%s/s", drill_count_text((size_t)llround(steps.highest), s->arena)));
    value_map_set(s->arena, map, "over", value_bool(s->arena, drill_is_over(c)));
    value_map_set(s->arena, map, "gap", gap(s, c));
    value_map_set(s->arena, map, "bound", bound(s, c));
    vec_release(&steps.rates);
    return map;
}

struct value *drill_timeline(const struct drill_result *r, struct arena *a)
{
    struct scene s = {.result = r, .arena = a, .span_ms = span_of(r)};
    struct value *map = value_map(a), *rows = value_list(a);
    double bottom;

    if (!(s.span_ms > 0))
        return value_null(a);
    value_map_set(a, map, "markers", markers(&s));
    for (size_t i = 0; i < r->channels.n; i++)
        value_list_add(a, rows, row(&s, i));
    bottom = s.top + (double)r->channels.n * (ROW + ROW_GAP) - ROW_GAP;
    value_map_set(a, map, "rows", rows);
    value_map_set(a, map, "ticks", axis(&s));
    value_map_set(a, map, "width", value_int(a, WIDTH));
    value_map_set(a, map, "row_height", value_int(a, ROW));
    put_place(&s, map, "left", LEFT);
    put_place(&s, map, "right", WIDTH - RIGHT);
    put_place(&s, map, "top", s.top);
    put_place(&s, map, "bottom", bottom);
    put_place(&s, map, "height", bottom + AXIS);
    return map;
}
