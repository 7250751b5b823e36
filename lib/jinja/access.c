/*
 * access.c - the parts of values: items, attributes, slices; and the two objects that templates
 * make, namespace and loop.
 */
#include "lib/jinja/eval.h"
#include "lib/jinja/moments.h"
#include "lib/jinja/unicode.h"

/* ---- namespace ------------------------------------------------------------------------------ */

static enum lookup namespace_get(const struct value_object *self, struct arena *a, const char *key,
                                 const struct value **out, struct err *err)
{
    UNUSED(a);
    UNUSED(err);
    *out = value_get(self->data, key);
    return *out ? LOOKUP_FOUND : LOOKUP_MISSING;
}

static size_t no_members(const struct value_object *self)
{
    UNUSED(self);
    return 0;
}

static const struct value *new_object(struct evaluator *ev, struct value_object like)
{
    struct value_object *object = arena_new(ev->arena, struct value_object);
    struct value *v = arena_new(ev->arena, struct value);

    *object = like;
    v->type = VALUE_OBJECT;
    v->u.object = object;
    return v;
}

const struct value *namespace_new(struct evaluator *ev, struct value *members)
{
    return new_object(
        ev, (struct value_object){.get = namespace_get, .count = no_members, .data = members});
}

struct value *namespace_members(const struct value *v)
{
    return v->type == VALUE_OBJECT && v->u.object->get == namespace_get ? v->u.object->data : NULL;
}

/* ---- loop ----------------------------------------------------------------------------------- */

struct loop_state {
    struct evaluator *ev;
    const struct value *items;
    size_t index;
};

static const struct value *loop_neighbour(const struct loop_state *loop, bool next)
{
    if (next ? loop->index + 1 >= loop->items->u.list.n : loop->index == 0)
        return ev_undefined(loop->ev, "there is no %s item", next ? "next" : "previous");
    return loop->items->u.list.items[next ? loop->index + 1 : loop->index - 1];
}

static enum lookup loop_get(const struct value_object *self, struct arena *a, const char *key,
                            const struct value **out, struct err *err)
{
    const struct loop_state *loop = self->data;
    int64_t index = (int64_t)loop->index, length = (int64_t)loop->items->u.list.n;

    UNUSED(a);
    UNUSED(err);
    if (str_eq(key, "index"))
        *out = ev_int(loop->ev, index + 1);
    else if (str_eq(key, "index0"))
        *out = ev_int(loop->ev, index);
    else if (str_eq(key, "revindex"))
        *out = ev_int(loop->ev, length - index);
    else if (str_eq(key, "revindex0"))
        *out = ev_int(loop->ev, length - index - 1);
    else if (str_eq(key, "first"))
        *out = ev_bool(index == 0);
    else if (str_eq(key, "last"))
        *out = ev_bool(index + 1 == length);
    else if (str_eq(key, "length"))
        *out = ev_int(loop->ev, length);
    else if (str_eq(key, "previtem") || str_eq(key, "nextitem"))
        *out = loop_neighbour(loop, key[0] == 'n');
    else
        return LOOKUP_MISSING;
    return LOOKUP_FOUND;
}

const struct value *loop_new(struct evaluator *ev, const struct value *items)
{
    struct loop_state *loop = arena_new(ev->arena, struct loop_state);

    loop->ev = ev;
    loop->items = items;
    return new_object(ev,
                      (struct value_object){.get = loop_get, .count = no_members, .data = loop});
}

void loop_move(const struct value *loop, size_t index)
{
    ((struct loop_state *)loop->u.object->data)->index = index;
}

const struct value *loop_cycle(struct evaluator *ev, const struct value *v, const struct call *c)
{
    const struct loop_state *loop;

    if (v->type != VALUE_OBJECT || v->u.object->get != loop_get)
        return ev_fail(ev, "only 'loop' has a method 'cycle'");
    if (c->n_rest == 0)
        return ev_fail(ev, "no items for cycling given");
    loop = v->u.object->data;
    return c->rest[loop->index % c->n_rest];
}

bool is_template_object(const struct value *v)
{
    return v->type == VALUE_OBJECT &&
           (v->u.object->get == namespace_get || v->u.object->get == loop_get || moment_of(v));
}

/* ---- members -------------------------------------------------------------------------------- */

/* The object's member; *out NULL when it has none. -1 failed or pending. */
static int fetch(struct evaluator *ev, const struct value *v, const char *key,
                 const struct value **out)
{
    *out = NULL;
    switch (v->u.object->get(v->u.object, ev->arena, key, out, ev->err)) {
    case LOOKUP_FOUND:
        return 0;
    case LOOKUP_MISSING:
        *out = NULL;
        return 0;
    case LOOKUP_PENDING:
        ev->pending = true;
        return -1;
    case LOOKUP_ERROR:
        break;
    }
    return err_wrap(ev->err, "%s:%d", ev->file, ev->line);
}

const struct value *ev_map(struct evaluator *ev, const struct value *v)
{
    const struct value_object *object = v->u.object;
    struct value *map;

    if (v->type == VALUE_MAP)
        return v;
    if (v->type != VALUE_OBJECT || is_template_object(v))
        return ev_fail(ev, "expected a dict, found %s", python_type(v));
    map = value_map(ev->arena);
    for (size_t i = 0; i < object->count(object); i++) {
        const struct value *item;

        if (ev_charge(ev, 1) < 0 || fetch(ev, v, object->key_at(object, i), &item) < 0)
            return NULL;
        if (item)
            ev_put_in(ev, map, object->key_at(object, i), item);
    }
    return map;
}

static const char *object_name(const struct value *v)
{
    return v->type == VALUE_NULL ? "None" : python_type(v);
}

static const struct value *no_attribute(struct evaluator *ev, const struct value *v,
                                        const char *name)
{
    if (v->type == VALUE_NULL)
        return ev_undefined(ev, "'None' has no attribute '%s'", name);
    return ev_undefined(ev, "'%s object' has no attribute '%s'", object_name(v), name);
}

const struct value *ev_member(struct evaluator *ev, const struct value *v, const char *name)
{
    const struct value *found = NULL;

    if (v->type == VALUE_UNDEFINED)
        return v;
    if (v->type == VALUE_MAP)
        found = value_get(v, name);
    else if (v->type == VALUE_OBJECT && fetch(ev, v, name, &found) < 0)
        return NULL;
    return found ? found : no_attribute(ev, v, name);
}

/* In Python the method wins over the key: d.items is never d['items']. */
static bool is_dict_method(const char *name)
{
    static const char *const methods[] = {"clear",      "copy",   "fromkeys", "get",
                                          "items",      "keys",   "pop",      "popitem",
                                          "setdefault", "update", "values"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (strcmp(methods[i], name) == 0)
            return true;
    }
    return false;
}

const struct value *ev_attr(struct evaluator *ev, const struct value *v, const char *name)
{
    if (is_mapping(v) && !is_template_object(v) && is_dict_method(name))
        return ev_fail(ev, "'%s' is a method of dict here: call it, or write ['%s'] for the key",
                       name, name);
    return ev_member(ev, v, name);
}

static const struct value *list_item(struct evaluator *ev, const struct value *v, int64_t i)
{
    int64_t n = (int64_t)v->u.list.n, at = i < 0 ? i + n : i;

    if (at < 0 || at >= n)
        return ev_undefined(ev, "%s object has no element %lld", python_type(v), (long long)i);
    return v->u.list.items[at];
}

static const struct value *string_item(struct evaluator *ev, const struct value *v, int64_t i)
{
    const char *s = v->u.str.s;
    size_t len = v->u.str.len, size, offset;
    int64_t n, at;

    if (ev_charge_bytes(ev, len) < 0)
        return NULL;
    n = (int64_t)unicode_count(s, len);
    at = i < 0 ? i + n : i;
    if (at < 0 || at >= n)
        return ev_undefined(ev, "str object has no element %lld", (long long)i);
    offset = unicode_offset(s, len, (size_t)at);
    unicode_decode(s + offset, len - offset, &size);
    return ev_str(ev, s + offset, size);
}

const struct value *ev_item(struct evaluator *ev, const struct value *v, const struct value *key)
{
    if (v->type == VALUE_UNDEFINED)
        return v;
    if (key->type == VALUE_UNDEFINED)
        return ev_fail(ev, "%s", key->u.str.s);
    if (key->type == VALUE_STR)
        return ev_member(ev, v, key->u.str.s);
    if (key->type == VALUE_INT || key->type == VALUE_BOOL) {
        if (v->type == VALUE_LIST)
            return list_item(ev, v, int_of(key));
        if (v->type == VALUE_STR)
            return string_item(ev, v, int_of(key));
        return ev_undefined(ev, "%s object has no element %lld", object_name(v),
                            (long long)int_of(key));
    }
    return ev_undefined(ev, "%s object has no element of type %s", object_name(v),
                        python_type(key));
}

const struct value *ev_path(struct evaluator *ev, const struct value *v, const struct value *path)
{
    char *steps, *rest, *step;

    if (path->type == VALUE_INT)
        return ev_item(ev, v, path);
    if (path->type != VALUE_STR)
        return ev_fail(ev, "an attribute is named by a string, not %s", python_type(path));
    rest = steps = xstrndup(path->u.str.s, path->u.str.len);
    while (v && (step = strsep(&rest, "."))) {
        bool number = *step && step[strspn(step, "0123456789")] == '\0' && strlen(step) < 10;

        v = ev_item(ev, v, number ? ev_int(ev, atoi(step)) : ev_str(ev, step, strlen(step)));
    }
    free(steps);
    return v;
}

/* ---- walking -------------------------------------------------------------------------------- */

static const struct value *characters(struct evaluator *ev, const struct value *v)
{
    struct value *list = ev_list(ev);
    size_t size;

    for (size_t i = 0; i < v->u.str.len; i += size) {
        const struct value *character;

        unicode_decode(v->u.str.s + i, v->u.str.len - i, &size);
        if (!(character = ev_str(ev, v->u.str.s + i, size)))
            return NULL;
        ev_push(ev, list, character);
    }
    return list;
}

static const struct value *keys(struct evaluator *ev, const struct value *v)
{
    struct value *list = ev_list(ev);
    size_t n = v->type == VALUE_MAP ? v->u.map.n : v->u.object->count(v->u.object);

    if (ev_charge(ev, n) < 0)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const char *key =
            v->type == VALUE_MAP ? v->u.map.entries[i].key : v->u.object->key_at(v->u.object, i);

        ev_push(ev, list, ev_str(ev, key, strlen(key)));
    }
    return list;
}

const struct value *ev_items(struct evaluator *ev, const struct value *v)
{
    switch (v->type) {
    case VALUE_LIST:
        return ev_charge(ev, v->u.list.n) < 0 ? NULL : v;
    case VALUE_STR:
        return characters(ev, v);
    case VALUE_MAP:
        return keys(ev, v);
    case VALUE_OBJECT:
        if (!is_template_object(v))
            return keys(ev, v);
        break;
    case VALUE_UNDEFINED:
        return is_nothing(v) ? ev_list(ev) : ev_fail(ev, "%s", v->u.str.s);
    default:
        break;
    }
    return ev_fail(ev, "'%s' object is not iterable", python_type(v));
}

int ev_length(struct evaluator *ev, const struct value *v, size_t *n)
{
    switch (v->type) {
    case VALUE_LIST:
        *n = v->u.list.n;
        return 0;
    case VALUE_STR:
        *n = unicode_count(v->u.str.s, v->u.str.len);
        return ev_charge_bytes(ev, v->u.str.len);
    case VALUE_MAP:
        *n = v->u.map.n;
        return 0;
    case VALUE_OBJECT:
        if (is_template_object(v))
            break;
        *n = v->u.object->count(v->u.object);
        return 0;
    case VALUE_UNDEFINED:
        *n = 0;
        return is_nothing(v) ? 0 : ev_error(ev, "%s", v->u.str.s);
    default:
        break;
    }
    return ev_error(ev, "object of type '%s' has no len()", python_type(v));
}

/* ---- slices --------------------------------------------------------------------------------- */

/* One bound as Python clamps it. -1 failed. */
static int slice_bound(struct evaluator *ev, const struct value *bound, int64_t otherwise,
                       int64_t low, int64_t high, int64_t n, int64_t *out)
{
    if (!bound || bound->type == VALUE_NULL) {
        *out = otherwise;
        return 0;
    }
    if (bound->type == VALUE_UNDEFINED)
        return ev_error(ev, "%s", bound->u.str.s);
    if (bound->type != VALUE_INT && bound->type != VALUE_BOOL)
        return ev_error(ev, "slice indices must be integers or None");
    *out = int_of(bound);
    if (*out < 0)
        *out = *out < -n ? low : *out + n;
    *out = *out < low ? low : *out > high ? high : *out;
    return 0;
}

const struct value *ev_slice(struct evaluator *ev, const struct value *v, const struct value *start,
                             const struct value *stop, const struct value *step)
{
    int64_t n, from = 0, to = 0, by = 1;
    const struct value *items;
    struct value *list;

    if (v->type != VALUE_LIST && v->type != VALUE_STR)
        return v->type == VALUE_UNDEFINED
                   ? v
                   : ev_undefined(ev, "'%s' object cannot be sliced", python_type(v));
    if (!(items = ev_items(ev, v)))
        return NULL;
    n = (int64_t)items->u.list.n;
    if (step && step->type != VALUE_NULL) {
        if (step->type != VALUE_INT || step->u.i == 0)
            return ev_fail(ev, "slice step must be an integer other than zero");
        by = step->u.i < -n - 1 ? -n - 1 : step->u.i > n + 1 ? n + 1 : step->u.i;
    }
    if (slice_bound(ev, start, by > 0 ? 0 : n - 1, by > 0 ? 0 : -1, by > 0 ? n : n - 1, n, &from) <
            0 ||
        slice_bound(ev, stop, by > 0 ? n : -1, by > 0 ? 0 : -1, by > 0 ? n : n - 1, n, &to) < 0)
        return NULL;
    list = ev_list(ev);
    list->plain = is_tuple(v);
    for (int64_t i = from; by > 0 ? i < to : i > to; i += by)
        ev_push(ev, list, items->u.list.items[i]);
    return v->type == VALUE_STR ? text_join(ev, list, "", 0) : list;
}
