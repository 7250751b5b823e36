/*
 * templates.c - the table of parsed templates, by the address of the value that holds them.
 */
#include "lib/play/templates.h"

#define SLOTS_MIN 64

void templates_init(struct templates *t, struct arena *a)
{
    *t = (struct templates){.arena = a};
}

void templates_release(struct templates *t)
{
    free(t->slots);
    templates_init(t, t->arena);
}

static struct template_slot *slot_of(const struct templates *t, const struct value *v)
{
    size_t mask = t->cap - 1;
    size_t i = (size_t)(((uintptr_t)v >> 4) * 0x9E3779B97F4A7C15u >> 20) & mask;

    while (t->slots[i].value && t->slots[i].value != v)
        i = (i + 1) & mask;
    return &t->slots[i];
}

static void grow(struct templates *t)
{
    struct templates larger = {t->arena, NULL, t->n, t->cap ? t->cap * 2 : SLOTS_MIN};

    larger.slots = xcalloc(larger.cap, sizeof(*larger.slots));
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i].value)
            *slot_of(&larger, t->slots[i].value) = t->slots[i];
    free(t->slots);
    *t = larger;
}

void fault_add_syntax(struct faults *faults, struct source src, const struct err *err)
{
    char *prefix = xasprintf("%s:", src.file ? src.file : "");
    const char *text = err->text;
    char *end;
    long line;

    if (str_starts(text, prefix)) {
        line = strtol(text + strlen(prefix), &end, 10);
        if (str_starts(end, ": ")) {
            text = end + 2;
            src.col = line == src.line ? src.col : 1;
            src.line = (int)line;
        }
    }
    fault_add(faults, src, "%s", text);
    free(prefix);
}

static void add_text(struct templates *t, const struct value *v, struct faults *faults)
{
    struct err err = ERR_INIT;
    struct template_slot *slot;

    if (!jinja_has_markup(v->u.str.s))
        return;
    if (t->n * 2 >= t->cap)
        grow(t);
    slot = slot_of(t, v);
    if (slot->value)
        return;
    slot->parsed = jinja_parse(t->arena, v->src, v->u.str.s, v->u.str.len, &err);
    if (slot->parsed) {
        slot->value = v;
        t->n++;
    } else {
        fault_add_syntax(faults, v->src, &err);
        err_release(&err);
    }
}

void templates_add(struct templates *t, const struct value *v, struct faults *faults)
{
    if (value_is_str(v)) {
        add_text(t, v, faults);
    } else if (v->type == VALUE_LIST) {
        for (size_t i = 0; i < v->u.list.n; i++)
            templates_add(t, v->u.list.items[i], faults);
    } else if (v->type == VALUE_MAP) {
        for (size_t i = 0; i < v->u.map.n; i++)
            templates_add(t, v->u.map.entries[i].value, faults);
    }
}

const struct jinja_template *templates_find(const struct templates *t, const struct value *v)
{
    struct template_slot *slot = t->cap ? slot_of(t, v) : NULL;

    return slot && slot->value ? slot->parsed : NULL;
}

bool value_has_markup(const struct value *v)
{
    if (value_is_str(v))
        return jinja_has_markup(v->u.str.s);
    if (v->type == VALUE_LIST)
        for (size_t i = 0; i < v->u.list.n; i++)
            if (value_has_markup(v->u.list.items[i]))
                return true;
    if (v->type == VALUE_MAP)
        for (size_t i = 0; i < v->u.map.n; i++)
            if (value_has_markup(v->u.map.entries[i].value))
                return true;
    return false;
}
