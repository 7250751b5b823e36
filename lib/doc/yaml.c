/*
 * yaml.c - libyaml's events into values.
 *
 * Depth, number of nodes and what libyaml itself rejects end the parsing; any other fault is noted,
 * and a null stands for what was wrong, so that one run shows all faults of a file.
 */
#include <yaml.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/doc/yaml.h"

#define CORE_TAG "tag:yaml.org,2002:"
#define BOM      "\xEF\xBB\xBF"

struct anchor {
    struct value *value; /* NULL while what it names is still being read */
    size_t nodes;        /* how many values an alias to it stands for */
};

struct reader {
    struct arena *arena;
    struct faults *faults;
    const char *file;
    const char *text;
    size_t len;
    yaml_parser_t parser;
    struct map anchors; /* name -> struct anchor, in the arena */
    bool has_aliases;
    size_t nodes; /* aliases counted with all they stand for */
    bool failed;  /* there is no going on */
};

static struct source place(const struct reader *r, yaml_mark_t mark)
{
    return (struct source){r->file, (int)mark.line + 1, (int)mark.column + 1};
}

/* --- what libyaml rejects --- */

/* Bad bytes are found before lines are counted: count up to them. */
static struct source place_of_offset(const struct reader *r, size_t offset)
{
    struct source src = {r->file, 1, 1};

    for (size_t i = 0; i < offset && i < r->len; i++) {
        src.col++;
        if (r->text[i] == '\n') {
            src.line++;
            src.col = 1;
        }
    }
    return src;
}

static void add_parser_fault(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "not YAML";

    if (p->error == YAML_READER_ERROR) {
        fault_add(r->faults, place_of_offset(r, p->problem_offset), "%s", problem);
        return;
    }
    if (p->context)
        fault_add(r->faults, place(r, p->problem_mark), "%s, %s that began on line %zu", problem,
                  p->context, p->context_mark.line + 1);
    else
        fault_add(r->faults, place(r, p->problem_mark), "%s", problem);
    if (p->problem_mark.index < r->len && r->text[p->problem_mark.index] == '\t')
        fault_hint(r->faults, "indent with spaces, not with tabs");
}

/* False when parsing failed; then there is no event to delete. */
static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    add_parser_fault(r);
    r->failed = true;
    return false;
}

/* --- scalars --- */

static bool is_tag(const yaml_char_t *tag, const char *name)
{
    return str_starts((const char *)tag, CORE_TAG) &&
           str_eq((const char *)tag + strlen(CORE_TAG), name);
}

static void add_tag_fault(struct reader *r, struct source src, const yaml_char_t *tag)
{
    fault_add(r->faults, src, "tag '%s' is not supported", (const char *)tag);
}

/* A scalar whose type is written beside it: !!int "12". */
static struct value *tagged_scalar(struct reader *r, const yaml_char_t *tag, struct source src,
                                   const char *text, size_t len)
{
    static const struct {
        const char *name;
        enum value_type type;
    } types[] = {
        {"null", VALUE_NULL}, {"bool", VALUE_BOOL}, {"int", VALUE_INT}, {"float", VALUE_FLOAT}};
    struct value *v = yaml_scalar(r->arena, text, len);

    if (is_tag(tag, "str"))
        return value_strn(r->arena, text, len);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!is_tag(tag, types[i].name))
            continue;
        if (types[i].type == VALUE_FLOAT && v->type == VALUE_INT)
            v = value_float(r->arena, (double)v->u.i);
        if (v->type != types[i].type)
            fault_add(r->faults, src, "'%s' is no %s", text, value_type_name(types[i].type));
        return v;
    }
    add_tag_fault(r, src, tag);
    return value_null(r->arena);
}

static struct value *read_scalar(struct reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct source src = place(r, event->start_mark);
    struct value *v;

    if (memchr(text, '\0', len)) {
        fault_add(r->faults, src, "a NUL character in a string");
        return value_null(r->arena);
    }
    if (event->data.scalar.plain_implicit)
        v = yaml_scalar(r->arena, text, len);
    else if (event->data.scalar.tag)
        v = tagged_scalar(r, event->data.scalar.tag, src, text, len);
    else
        v = value_strn(r->arena, text, len);
    v->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return v;
}

/* --- anchors and aliases --- */

static struct anchor *add_anchor(struct reader *r, const yaml_char_t *name)
{
    struct anchor *anchor;

    if (!name)
        return NULL;
    anchor = arena_new(r->arena, struct anchor);
    map_set(&r->anchors, (const char *)name, anchor); /* a later one of the same name replaces */
    return anchor;
}

static bool count_nodes(struct reader *r, size_t n, struct source src)
{
    r->nodes += n;
    if (r->nodes <= YAML_MAX_NODES)
        return true;
    fault_add(r->faults, src, "more than %d values, counting what aliases stand for",
              YAML_MAX_NODES);
    r->failed = true;
    return false;
}

static struct value *read_alias(struct reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct source src = place(r, event->start_mark);
    const struct anchor *anchor = map_get(&r->anchors, name);

    r->has_aliases = true;
    if (!anchor)
        fault_add(r->faults, src, "alias '*%s' has no anchor '&%s' before it", name, name);
    else if (!anchor->value)
        fault_add(r->faults, src, "alias '*%s' stands inside what it names", name);
    else if (count_nodes(r, anchor->nodes, src))
        return anchor->value;
    return value_null(r->arena);
}

/* --- lists and maps --- */

static struct value *read_node(struct reader *r, const yaml_event_t *event, int depth);

/* Reads the next node. NULL: failed, or (with *end) the event that ends what we are in. */
static struct value *read_next(struct reader *r, int depth, yaml_event_type_t end_type, bool *end)
{
    yaml_event_t event;
    struct value *v = NULL;

    if (!next_event(r, &event))
        return NULL;
    *end = event.type == end_type;
    if (!*end)
        v = read_node(r, &event, depth);
    yaml_event_delete(&event);
    return v;
}

static void read_list(struct reader *r, struct value *list, int depth)
{
    bool end = false;

    while (!r->failed) {
        struct value *item = read_next(r, depth + 1, YAML_SEQUENCE_END_EVENT, &end);

        if (end || r->failed)
            break;
        value_list_add(r->arena, list, item);
    }
}

/* What a map is made of while it is read: what "<<" brings in goes below its own entries. */
struct map_parts {
    struct value *own;
    VEC(struct value *) merged; /* the later wins */
};

static void set_entry(struct reader *r, struct value *map, const char *key, struct source src,
                      struct value *item)
{
    value_map_set(r->arena, map, key, item);
    value_find_entry(map, key)->key_src = src;
}

static void add_merge(struct reader *r, struct map_parts *parts, struct source src,
                      struct value *from)
{
    bool ok = from->type == VALUE_MAP || from->type == VALUE_LIST;

    if (from->type == VALUE_MAP)
        vec_push(&parts->merged, from);
    for (size_t i = from->type == VALUE_LIST ? from->u.list.n : 0; i-- > 0;) { /* the first wins */
        struct value *item = from->u.list.items[i];

        ok = ok && item->type == VALUE_MAP;
        if (item->type == VALUE_MAP)
            vec_push(&parts->merged, item);
    }
    if (!ok)
        fault_add(r->faults, src, "'<<' takes a map or a list of maps");
}

static struct value *merge_parts(struct reader *r, struct map_parts *parts)
{
    struct value *whole;

    if (parts->merged.n == 0)
        return parts->own;
    whole = value_map(r->arena);
    vec_push(&parts->merged, parts->own);
    vec_each (part, &parts->merged) {
        for (size_t i = 0; i < (*part)->u.map.n; i++) {
            const struct value_entry *entry = &(*part)->u.map.entries[i];

            set_entry(r, whole, entry->key, entry->key_src, entry->value);
        }
    }
    return whole;
}

static void add_entry(struct reader *r, struct map_parts *parts, const char *key, bool is_merge,
                      struct source src, struct value *item)
{
    const struct value_entry *first = key ? value_find_entry(parts->own, key) : NULL;

    if (!key)
        fault_add(r->faults, src, "a key must be a single word or string");
    else if (is_merge)
        add_merge(r, parts, src, item);
    else if (first)
        fault_add(r->faults, src, "key '%s' was already given on line %d", key,
                  first->key_src.line);
    else
        set_entry(r, parts->own, key, src, item);
}

/*
 * The text of a key as it was written (NULL: not a scalar). It is taken from the event, because a
 * key like `on` or `10` has become a boolean or a number as a value.
 */
static const char *key_text(struct reader *r, const yaml_event_t *event, const struct value *key)
{
    if (event->type == YAML_SCALAR_EVENT &&
        !memchr(event->data.scalar.value, '\0', event->data.scalar.length))
        return arena_strdup(r->arena, (const char *)event->data.scalar.value);
    if (event->type == YAML_SCALAR_EVENT)
        return ""; /* the fault is noted */
    return value_is_str(key) ? key->u.str.s : NULL;
}

/* One key and its value; false at the end of the map or when parsing failed. */
static bool read_entry(struct reader *r, struct map_parts *parts, int depth)
{
    yaml_event_t event;
    const struct value *key;
    struct value *item;
    struct source src;
    const char *text;
    bool is_merge, end = false;

    if (!next_event(r, &event))
        return false;
    if (event.type == YAML_MAPPING_END_EVENT) {
        yaml_event_delete(&event);
        return false;
    }
    src = place(r, event.start_mark);
    key = read_node(r, &event, depth + 1);
    text = r->failed ? NULL : key_text(r, &event, key);
    is_merge = key && key->plain && str_eq(text, "<<") && event.type == YAML_SCALAR_EVENT;
    yaml_event_delete(&event);
    if (r->failed)
        return false;
    item = read_next(r, depth + 1, YAML_NO_EVENT, &end);
    if (!r->failed)
        add_entry(r, parts, text, is_merge, src, item);
    return !r->failed;
}

static struct value *read_map(struct reader *r, int depth)
{
    struct map_parts parts = {value_map(r->arena), VEC_INIT};
    struct value *map;

    while (read_entry(r, &parts, depth))
        ;
    map = merge_parts(r, &parts);
    vec_release(&parts.merged);
    return map;
}

/* NULL when event is no node; the caller knows which events can come. */
static struct value *read_collection(struct reader *r, const yaml_event_t *event, int depth)
{
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    const yaml_char_t *tag =
        is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag;
    struct source src = place(r, event->start_mark);
    struct value *v;

    if (depth > YAML_MAX_DEPTH) {
        fault_add(r->faults, src, "nested deeper than %d levels", YAML_MAX_DEPTH);
        r->failed = true;
        return NULL;
    }
    if (tag && !is_tag(tag, is_list ? "seq" : "map") && !str_eq((const char *)tag, "!"))
        add_tag_fault(r, src, tag);
    if (!is_list)
        return read_map(r, depth);
    v = value_list(r->arena);
    read_list(r, v, depth);
    return v;
}

static const yaml_char_t *anchor_name(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* The node that event begins; NULL only when parsing failed. depth 1 is the document's own value.
 */
static struct value *read_node(struct reader *r, const yaml_event_t *event, int depth)
{
    struct source src = place(r, event->start_mark);
    size_t nodes_before = r->nodes;
    struct anchor *anchor;
    struct value *v;

    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(r, event);
    if (!count_nodes(r, 1, src))
        return NULL;
    anchor = add_anchor(r, anchor_name(event));
    if (event->type == YAML_SCALAR_EVENT)
        v = read_scalar(r, event);
    else
        v = read_collection(r, event, depth);
    if (r->failed)
        return NULL;
    v->src = src;
    if (anchor) {
        anchor->value = v;
        anchor->nodes = r->nodes - nodes_before;
    }
    return v;
}

/* --- documents --- */

/* Through aliases a tree can be deeper than the text is. Takes no more steps than YAML_MAX_NODES.
 */
static bool is_deeper(const struct value *v, int levels)
{
    bool deeper = levels < 0;

    if (v->type == VALUE_LIST) {
        for (size_t i = 0; i < v->u.list.n && !deeper; i++)
            deeper = is_deeper(v->u.list.items[i], levels - 1);
    } else if (v->type == VALUE_MAP) {
        for (size_t i = 0; i < v->u.map.n && !deeper; i++)
            deeper = is_deeper(v->u.map.entries[i].value, levels - 1);
    }
    return deeper;
}

/* The value of the first document; a second one is a fault. */
static struct value *read_documents(struct reader *r)
{
    struct value *v = NULL;
    yaml_event_t event;
    bool end = false;

    while (!r->failed && !end && next_event(r, &event)) {
        end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && v) {
            fault_add(r->faults, place(r, event.start_mark), "only one document is allowed");
            end = true;
        } else if (event.type == YAML_DOCUMENT_START_EVENT) {
            bool no_value;

            v = read_next(r, 1, YAML_NO_EVENT, &no_value);
        }
        yaml_event_delete(&event);
    }
    if (!v && !r->failed) {
        v = value_null(r->arena);
        v->src = (struct source){r->file, 1, 1};
    }
    if (v && !r->failed && r->has_aliases && is_deeper(v, YAML_MAX_DEPTH))
        fault_add(r->faults, v->src, "nested deeper than %d levels through its aliases",
                  YAML_MAX_DEPTH);
    return v;
}

/* Every document's value. An anchor is of its own document. */
static struct value *read_all_documents(struct reader *r)
{
    struct value *list = value_list(r->arena);
    yaml_event_t event;
    bool end = false;

    while (!r->failed && !end && next_event(r, &event)) {
        end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT) {
            bool no_value;
            struct value *v;

            map_release(&r->anchors);
            map_init(&r->anchors);
            v = read_next(r, 1, YAML_NO_EVENT, &no_value);
            if (v && !r->failed)
                value_list_add(r->arena, list, v);
        }
        yaml_event_delete(&event);
    }
    if (!r->failed && r->has_aliases && is_deeper(list, YAML_MAX_DEPTH))
        fault_add(r->faults, (struct source){r->file, 0, 0},
                  "nested deeper than %d levels through its aliases", YAML_MAX_DEPTH);
    return list;
}

static struct value *parse_with(struct value *(*read)(struct reader *r), struct arena *a,
                                const char *file, const char *text, size_t len,
                                struct faults *faults)
{
    struct reader r = {.arena = a, .faults = faults, .file = arena_strdup(a, file)};
    size_t faults_before = faults->n + faults->more;
    struct value *v;

    if (len > YAML_MAX_BYTES) {
        fault_add(faults, (struct source){r.file, 0, 0}, "larger than %zu bytes", YAML_MAX_BYTES);
        return NULL;
    }
    if (len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0) {
        text += strlen(BOM);
        len -= strlen(BOM);
    }
    r.text = text;
    r.len = len;
    map_init(&r.anchors);
    if (!yaml_parser_initialize(&r.parser))
        BUG("yaml_parser_initialize");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    v = read(&r);
    yaml_parser_delete(&r.parser);
    map_release(&r.anchors);
    return faults->n + faults->more == faults_before ? v : NULL;
}

struct value *yaml_parse(struct arena *a, const char *file, const char *text, size_t len,
                         struct faults *faults)
{
    return parse_with(read_documents, a, file, text, len, faults);
}

struct value *yaml_parse_all(struct arena *a, const char *file, const char *text, size_t len,
                             struct faults *faults)
{
    return parse_with(read_all_documents, a, file, text, len, faults);
}

struct value *yaml_parse_file(struct arena *a, const char *path, struct faults *faults)
{
    struct err err = ERR_INIT;
    struct value *v = NULL;
    struct str text;

    str_init(&text, YAML_MAX_BYTES);
    if (file_read(path, &text, &err) == 0)
        v = yaml_parse(a, path, text.buf, text.len, faults);
    else
        fault_add(faults, (struct source){NULL, 0, 0}, "%s", err.text); /* it names the file */
    err_release(&err);
    str_release(&text);
    return v;
}
