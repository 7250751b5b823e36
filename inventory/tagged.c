/*
 * tagged.c - what Ansible's YAML has beyond the plain: !vault and !unsafe, and keys that are no
 * text.
 *
 * A vaulted or unsafe value is held as Ansible's JSON writes it, {"__ansible_vault": TEXT} and
 * {"__ansible_unsafe": TEXT}. The parser of lib/doc knows neither tag; so a scan finds them first,
 * blanks them out of a copy, which moves nothing, and afterwards the values that stand in their
 * places are wrapped. A tag whose value is not found again is a fault: nothing passes unnoticed.
 */
#include <yaml.h>

#include "inventory/internal.h"
#include "lib/doc/json.h"
#include "lib/doc/yaml.h"

#define VAULT  "__ansible_vault"
#define UNSAFE "__ansible_unsafe"
#define BOM    "\xEF\xBB\xBF"
#define PLACE  "%d:%d"

struct scan {
    struct inventory *inv;
    struct faults *faults;
    const char *file;
    char *text; /* a copy; tags are blanked out */
    size_t len;
    size_t byte, index; /* how far places (in characters) were worked out in bytes */
    struct map tags;    /* place of a value -> VAULT or UNSAFE */
    struct map keys;    /* place of a key that is no text -> the text that JSON has for it */
    struct map places;  /* place of a value -> struct source *, of its tag */
    size_t found;       /* tags whose values were */
};

static const char *place_key(struct arena *a, int line, int col)
{
    return arena_printf(a, PLACE, line, col);
}

static const char *mark_key(const struct scan *s, yaml_mark_t mark)
{
    return place_key(&s->inv->arena, (int)mark.line + 1, (int)mark.column + 1);
}

/* ---- before: the scan ---- */

/* libyaml counts characters. Marks come in order, so this walks the text once. */
static size_t byte_of(struct scan *s, size_t index)
{
    while (s->index < index && s->byte < s->len) {
        s->byte++;
        while (s->byte < s->len && ((unsigned char)s->text[s->byte] & 0xc0) == 0x80)
            s->byte++;
        s->index++;
    }
    return s->byte;
}

static const char *tag_kind(const yaml_token_t *token)
{
    const char *handle = (const char *)token->data.tag.handle;
    const char *suffix = (const char *)token->data.tag.suffix;

    if (!str_eq(handle, "!"))
        return NULL;
    if (str_eq(suffix, "unsafe"))
        return UNSAFE;
    return str_eq(suffix, "vault") || str_eq(suffix, "vault-encrypted") ? VAULT : NULL;
}

/* False: the tag stays, and the parser will say that it does not know it. */
static bool blank_tag(struct scan *s, const yaml_token_t *token)
{
    size_t from = byte_of(s, token->start_mark.index), to = byte_of(s, token->end_mark.index);

    if (from >= to || s->text[from] != '!')
        return false;
    memset(s->text + from, ' ', to - from);
    return true;
}

/* The text that Python's json.dumps has for a key that is no string; NULL: it is a string. */
static const char *key_text(struct scan *s, const yaml_token_t *token)
{
    const char *text = (const char *)token->data.scalar.value;
    struct value *key = yaml_scalar(&s->inv->arena, text, token->data.scalar.length);
    struct str out;
    char *copy;

    if (token->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || key->type == VALUE_STR)
        return NULL;
    str_init(&out, STR_MAX_TEXT);
    json_write(key, JSON_LINE, &out);
    copy = arena_strdup(&s->inv->arena, out.buf);
    str_release(&out);
    return copy;
}

struct expecting {
    const char *tag; /* of the next value */
    struct source src;
    bool key;
};

static void scan_token(struct scan *s, const yaml_token_t *token, struct expecting *next)
{
    if (token->type == YAML_TAG_TOKEN) {
        next->tag = tag_kind(token);
        next->src = (struct source){s->file, (int)token->start_mark.line + 1,
                                    (int)token->start_mark.column + 1};
        if (next->tag && !blank_tag(s, token))
            next->tag = NULL;
        return;
    }
    if (token->type == YAML_KEY_TOKEN) {
        next->key = true;
        return;
    }
    if (next->tag) {
        struct source *src = arena_new(&s->inv->arena, struct source);

        *src = next->src;
        map_set(&s->tags, mark_key(s, token->start_mark), (void *)next->tag);
        map_set(&s->places, mark_key(s, token->start_mark), src);
    }
    if (next->key && token->type == YAML_SCALAR_TOKEN && key_text(s, token))
        map_set(&s->keys, mark_key(s, token->start_mark), (void *)key_text(s, token));
    *next = (struct expecting){.tag = NULL};
}

/* What libyaml rejects here the parser rejects again, and says so. */
static void scan(struct scan *s)
{
    struct expecting next = {.tag = NULL};
    yaml_parser_t parser;
    yaml_token_t token;
    bool more = true;

    if (s->len >= 3 && memcmp(s->text, BOM, 3) == 0)
        s->byte = 3;
    if (!yaml_parser_initialize(&parser))
        BUG("no YAML parser");
    /* Its own copy: the parser reads ahead of the tokens that it hands out. */
    char *input = xstrndup(s->text, s->len);

    yaml_parser_set_input_string(&parser, (const unsigned char *)input, s->len);
    while (more && yaml_parser_scan(&parser, &token)) {
        more = token.type != YAML_STREAM_END_TOKEN;
        scan_token(s, &token, &next);
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    free(input);
}

/* ---- afterwards: the values ---- */

static void wrap(struct inventory *inv, struct value *v, const char *kind)
{
    struct value *map = value_map(&inv->arena);

    value_map_set(&inv->arena, map, kind, value_strn(&inv->arena, v->u.str.s, v->u.str.len));
    map->src = v->src;
    *v = *map; /* in place: aliases share it */
}

/* Below !unsafe every string is; a scalar has the type that it has without quotes. */
static void wrap_unsafe(struct inventory *inv, struct value *v, bool top)
{
    if (v->type == VALUE_STR && top) {
        struct source src = v->src;

        *v = *yaml_scalar(&inv->arena, v->u.str.s, v->u.str.len);
        v->src = src;
    }
    if (v->type == VALUE_STR)
        wrap(inv, v, UNSAFE);
    else if (v->type == VALUE_LIST)
        for (size_t i = 0; i < v->u.list.n; i++)
            wrap_unsafe(inv, v->u.list.items[i], false);
    else if (v->type == VALUE_MAP && !inventory_tagged(v, NULL))
        for (size_t i = 0; i < v->u.map.n; i++)
            wrap_unsafe(inv, v->u.map.entries[i].value, false);
}

static void apply_tag(struct scan *s, struct value *v)
{
    const char *place = place_key(&s->inv->arena, v->src.line, v->src.col);
    const char *kind = map_get(&s->tags, place);

    if (!kind)
        return;
    map_del(&s->tags, place);
    if (str_eq(kind, UNSAFE))
        wrap_unsafe(s->inv, v, true);
    else if (v->type == VALUE_STR)
        wrap(s->inv, v, VAULT);
    else
        fault_add(s->faults, v->src, "!vault goes with text, not with a %s",
                  value_type_name(v->type));
}

/* What PyYAML would make a number or a date of is told apart by its form. */
static bool is_long_number(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');

    return strlen(p) >= 19 && strspn(p, "0123456789_") == strlen(p);
}

static bool is_date_with_time(const char *text)
{
    static const char form[] = "dddd-";

    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == 'd' ? !strchr("0123456789", text[i]) || !text[i] : text[i] != form[i])
            return false;
    text += sizeof(form) - 1;
    for (int part = 0; part < 2; part++) {
        size_t digits = strspn(text, "0123456789");

        if (digits < 1 || digits > 2 || (part == 0 && text[digits] != '-'))
            return false;
        text += digits + (part == 0);
    }
    return strchr("Tt \t", *text) && *text && strchr(text, ':');
}

static void check_plain(struct scan *s, const struct value *v)
{
    const char *what = NULL;

    if (!v->plain || v->type != VALUE_STR)
        return;
    if (is_long_number(v->u.str.s))
        what = "a number of more than 64 bits";
    else if (is_date_with_time(v->u.str.s))
        what = "a date with a time";
    else if (str_eq(v->u.str.s, "=") || str_eq(v->u.str.s, "<<"))
        what = "a key of YAML's own";
    if (what) {
        fault_add(s->faults, v->src, "'%.80s' is %s, as YAML reads it", v->u.str.s, what);
        fault_hint(s->faults, "quote it to make it text");
    }
}

static bool has_odd_key(const struct scan *s, const struct value *map)
{
    for (size_t i = 0; i < map->u.map.n; i++) {
        const struct source *src = &map->u.map.entries[i].key_src;

        if (map_has(&s->keys, place_key(&s->inv->arena, src->line, src->col)))
            return true;
    }
    return false;
}

static void rename_keys(struct scan *s, struct value *map)
{
    struct arena *a = &s->inv->arena;
    struct value *fresh = value_map(a);

    for (size_t i = 0; i < map->u.map.n; i++) {
        const struct value_entry *entry = &map->u.map.entries[i];
        const char *text = map_get(&s->keys, place_key(a, entry->key_src.line, entry->key_src.col));

        text = text ? text : entry->key;
        value_map_set(a, fresh, text, entry->value);
        value_find_entry(fresh, text)->key_src = entry->key_src;
    }
    fresh->src = map->src;
    *map = *fresh;
}

static void finish_value(struct scan *s, struct value *v, struct map *seen)
{
    char key[32];

    check_plain(s, v);
    if (v->type == VALUE_LIST || v->type == VALUE_MAP) {
        snprintf(key, sizeof(key), "%p", (void *)v); /* aliases: each once */
        if (map_has(seen, key))
            return;
        map_set(seen, key, v);
    }
    if (s->keys.n && v->type == VALUE_MAP && has_odd_key(s, v))
        rename_keys(s, v);
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n; i++)
        finish_value(s, v->u.list.items[i], seen);
    for (size_t i = 0; v->type == VALUE_MAP && i < v->u.map.n; i++)
        finish_value(s, v->u.map.entries[i].value, seen);
    if (s->tags.n)
        apply_tag(s, v);
}

static void report_lost(struct scan *s)
{
    for (size_t i = 0; i < s->tags.n; i++) {
        const struct source *src = map_get(&s->places, s->tags.entries[i].key);

        fault_add(s->faults, *src, "this tag has no value of its own");
        fault_hint(s->faults, "write it right before the value, behind any &anchor");
    }
}

struct value *inventory_parse_yaml(struct inventory *inv, const char *file, const char *text,
                                   size_t len, struct faults *faults)
{
    struct scan s = {.inv = inv, .faults = faults, .file = file, .len = len};
    struct value *root;
    struct map seen;

    s.text = xstrndup(text, len);
    map_init(&s.tags);
    map_init(&s.keys);
    map_init(&s.places);
    map_init(&seen);
    if (len <= YAML_MAX_BYTES)
        scan(&s);
    root = yaml_parse(&inv->arena, file, s.text, len, faults);
    if (root) {
        finish_value(&s, root, &seen);
        report_lost(&s);
    }
    map_release(&seen);
    map_release(&s.places);
    map_release(&s.keys);
    map_release(&s.tags);
    free(s.text);
    return root;
}

/* ---- held values ---- */

const char *inventory_tagged(const struct value *v, const char **tag)
{
    static const struct {
        const char *key, *tag;
    } kinds[] = {{VAULT, "!vault"}, {UNSAFE, "!unsafe"}};

    for (size_t i = 0; v->type == VALUE_MAP && v->u.map.n == 1 && i < ARRAY_LEN(kinds); i++) {
        const char *text = value_get_str(v, kinds[i].key, NULL);

        if (text && tag)
            *tag = kinds[i].tag;
        if (text)
            return text;
    }
    return NULL;
}

bool inventory_holds_tagged(const struct value *v)
{
    bool holds = inventory_tagged(v, NULL) != NULL;

    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n && !holds; i++)
        holds = inventory_holds_tagged(v->u.list.items[i]);
    for (size_t i = 0; v->type == VALUE_MAP && i < v->u.map.n && !holds; i++)
        holds = inventory_holds_tagged(v->u.map.entries[i].value);
    return holds;
}

static bool is_template(const char *text)
{
    return strstr(text, "{{") || strstr(text, "{%") || strstr(text, "{#");
}

static void settle_tagged(struct inventory *inv, struct value *v, struct source src,
                          const char *text, const char *tag, struct faults *faults)
{
    inv->has_tagged = true;
    if (inv->keep_tagged)
        return;
    if (str_eq(tag, "!unsafe") && !is_template(text)) {
        *v = *value_str(&inv->arena, text); /* nothing in it for a template */
        return;
    }
    fault_add(faults, v->src.line ? v->src : src, "a value that is %s is not supported here", tag);
    fault_hint(faults, "%s",
               str_eq(tag, "!vault")
                   ? "`pgha-deploy inventory show` passes it on; to use it, decrypt it or "
                     "leave it to the cluster's own secrets"
                   : "`pgha-deploy inventory show` passes it on; to use it, write the "
                     "template as {% raw %}...{% endraw %}");
}

void inventory_settle_tagged(struct inventory *inv, struct value *v, struct source src,
                             struct faults *faults)
{
    const char *tag = NULL, *text = inventory_tagged(v, &tag);

    if (text) {
        settle_tagged(inv, v, src, text, tag, faults);
        return;
    }
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n; i++)
        inventory_settle_tagged(inv, v->u.list.items[i], src, faults);
    for (size_t i = 0; v->type == VALUE_MAP && i < v->u.map.n; i++)
        inventory_settle_tagged(inv, v->u.map.entries[i].value, src, faults);
}
