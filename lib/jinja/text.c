/*
 * text.c - operations on strings that methods and filters share.
 */
#include "lib/jinja/eval.h"
#include "lib/jinja/unicode.h"

/* Characters after which Jinja2's title filter begins a new word. */
static bool begins_jinja_word(uint32_t before)
{
    return before == 0 || unicode_is_space(before) ||
           (before < 0x80 && strchr("-({[<", (int)before));
}

static uint32_t change_case(uint32_t c, uint32_t before, enum letter_case to)
{
    switch (to) {
    case CASE_UPPER:
        return unicode_upper(c);
    case CASE_LOWER:
        return unicode_lower(c);
    case CASE_CAPITALIZE:
        return before ? unicode_lower(c) : unicode_upper(c);
    case CASE_TITLE:
        return before && unicode_is_letter(before) ? unicode_lower(c) : unicode_upper(c);
    case CASE_JINJA_TITLE:
        return begins_jinja_word(before) ? unicode_upper(c) : unicode_lower(c);
    case CASE_SWAP:
        break;
    }
    return unicode_upper(c) == c ? unicode_lower(c) : unicode_upper(c);
}

const struct value *text_case(struct evaluator *ev, const struct value *text, enum letter_case to)
{
    const uint32_t sharp_s = 0xdf; /* the one letter here whose upper case is two */
    uint32_t before = 0;
    struct str out;
    size_t size;

    str_init(&out, JINJA_MAX_OUTPUT);
    for (size_t i = 0; i < text->u.str.len; i += size) {
        uint32_t c = unicode_decode(text->u.str.s + i, text->u.str.len - i, &size);

        if (c == sharp_s && to == CASE_UPPER)
            str_puts(&out, "SS");
        else
            unicode_put(&out, change_case(c, before, to));
        before = c;
    }
    return ev_take(ev, &out);
}

/* An empty `from` stands before every character and at the end. */
static void replace_between(struct str *out, const struct value *text, const struct value *to,
                            int64_t count)
{
    const char *s = text->u.str.s;
    size_t len = text->u.str.len, size;

    for (size_t i = 0; i < len; i += size) {
        unicode_decode(s + i, len - i, &size);
        if (count-- > 0)
            str_add(out, to->u.str.s, to->u.str.len);
        str_add(out, s + i, size);
    }
    if (count > 0)
        str_add(out, to->u.str.s, to->u.str.len);
}

const struct value *text_replace(struct evaluator *ev, const struct value *text,
                                 const struct value *from, const struct value *to, int64_t count)
{
    const char *p = text->u.str.s, *end = p + text->u.str.len, *found;
    struct str out;

    if (count < 0)
        count = INT64_MAX;
    str_init(&out, JINJA_MAX_OUTPUT);
    if (from->u.str.len == 0) {
        replace_between(&out, text, to, count);
        return ev_take(ev, &out);
    }
    while (!out.full && count-- > 0 &&
           (found = memmem(p, (size_t)(end - p), from->u.str.s, from->u.str.len))) {
        str_add(&out, p, (size_t)(found - p));
        str_add(&out, to->u.str.s, to->u.str.len);
        p = found + from->u.str.len;
    }
    str_add(&out, p, (size_t)(end - p));
    return ev_take(ev, &out);
}

static bool is_one_of(uint32_t c, const struct value *characters)
{
    size_t size;

    if (!characters || characters->type == VALUE_NULL)
        return unicode_is_space(c);
    for (size_t i = 0; i < characters->u.str.len; i += size) {
        if (unicode_decode(characters->u.str.s + i, characters->u.str.len - i, &size) == c)
            return true;
    }
    return false;
}

/* Where the last character of s[0..len) begins. */
static size_t last_character(const char *s, size_t len)
{
    size_t at = len - 1, size;

    for (size_t back = 1; back <= 4 && back <= len; back++) {
        unicode_decode(s + len - back, back, &size);
        if (size == back)
            at = len - back;
    }
    return at;
}

const struct value *text_strip(struct evaluator *ev, const struct value *text,
                               const struct value *characters, unsigned sides)
{
    const char *s = text->u.str.s;
    size_t len = text->u.str.len, size;

    while ((sides & 1) && len > 0 && is_one_of(unicode_decode(s, len, &size), characters)) {
        s += size;
        len -= size;
    }
    while ((sides & 2) && len > 0) {
        size_t last = last_character(s, len);

        if (!is_one_of(unicode_decode(s + last, len - last, &size), characters))
            break;
        len = last;
    }
    return ev_str(ev, s, len);
}

static const struct value *split_blanks(struct evaluator *ev, const struct value *text,
                                        int64_t most)
{
    const char *p = text->u.str.s, *end = p + text->u.str.len, *start;
    struct value *list = ev_list(ev);
    size_t size;

    for (;; most--) {
        const struct value *word;

        while (p < end && unicode_is_space(unicode_decode(p, (size_t)(end - p), &size)))
            p += size;
        if (p == end)
            return list;
        start = p;
        while (p < end && !unicode_is_space(unicode_decode(p, (size_t)(end - p), &size)))
            p += size;
        word = ev_str(ev, start, (size_t)(p - start));
        if (word && most == 0) {
            word = ev_str(ev, start, (size_t)(end - start));
            p = end;
        }
        if (!word)
            return NULL;
        ev_push(ev, list, word);
    }
}

const struct value *text_split(struct evaluator *ev, const struct value *text,
                               const struct value *separator, int64_t most)
{
    const char *p = text->u.str.s, *end = p + text->u.str.len, *found;
    const struct value *part;
    struct value *list;

    if (most < 0)
        most = INT64_MAX;
    if (!separator || separator->type == VALUE_NULL)
        return split_blanks(ev, text, most);
    if (separator->u.str.len == 0)
        return ev_fail(ev, "empty separator");
    list = ev_list(ev);
    while (most-- > 0 &&
           (found = memmem(p, (size_t)(end - p), separator->u.str.s, separator->u.str.len))) {
        if (!(part = ev_str(ev, p, (size_t)(found - p))))
            return NULL;
        ev_push(ev, list, part);
        p = found + separator->u.str.len;
    }
    if (!(part = ev_str(ev, p, (size_t)(end - p))))
        return NULL;
    ev_push(ev, list, part);
    return list;
}

const struct value *text_lines(struct evaluator *ev, const struct value *text)
{
    const char *p = text->u.str.s, *end = p + text->u.str.len;
    struct value *list = ev_list(ev);

    while (p < end) {
        size_t len = strcspn(p, "\r\n\v\f");
        const struct value *line = ev_str(ev, p, len);

        if (!line)
            return NULL;
        ev_push(ev, list, line);
        p += len;
        p += p[0] == '\r' && p[1] == '\n' ? 2 : p < end;
    }
    return list;
}

const struct value *text_join(struct evaluator *ev, const struct value *items, const char *glue,
                              size_t glue_len)
{
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    for (size_t i = 0; i < items->u.list.n; i++) {
        if (i > 0)
            str_add(&out, glue, glue_len);
        if (ev_put(ev, &out, items->u.list.items[i]) < 0) {
            str_release(&out);
            return NULL;
        }
    }
    return ev_take(ev, &out);
}
