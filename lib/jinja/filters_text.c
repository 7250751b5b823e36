/*
 * filters_text.c - filters on strings: case, white space, regular expressions, quoting, encodings.
 */
#include <stdio.h>

#include "lib/jinja/eval.h"
#include "lib/jinja/regex.h"
#include "lib/jinja/regex_eval.h"
#include "lib/jinja/unicode.h"

/* A whole number from 0; absent or none: otherwise. */
static int want_count(struct evaluator *ev, const char *what, const struct value *v,
                      int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    if (!v || v->type == VALUE_NULL)
        return 0;
    if (v->type != VALUE_INT || v->u.i < 0)
        return ev_error(ev, "%s: a number must be an integer from 0", what);
    *out = v->u.i;
    return 0;
}

/* The value as str() has it, in the given case. */
static const struct value *in_case(struct evaluator *ev, const struct value *in,
                                   enum letter_case to)
{
    const struct value *text = ev_text(ev, in);

    return text ? text_case(ev, text, to) : NULL;
}

static const struct value *filter_upper(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    UNUSED(c);
    return in_case(ev, in, CASE_UPPER);
}

static const struct value *filter_lower(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    UNUSED(c);
    return in_case(ev, in, CASE_LOWER);
}

static const struct value *filter_title(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    UNUSED(c);
    return in_case(ev, in, CASE_JINJA_TITLE);
}

static const struct value *filter_capitalize(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    UNUSED(c);
    return in_case(ev, in, CASE_CAPITALIZE);
}

static const struct value *filter_string(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    UNUSED(c);
    return ev_text(ev, in);
}

static const struct value *filter_trim(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    const struct value *text = ev_text(ev, in);

    if (c->arg[0] && c->arg[0]->type != VALUE_NULL && c->arg[0]->type != VALUE_STR)
        return ev_fail(ev, "trim: the characters must be a string");
    return text ? text_strip(ev, text, c->arg[0], 3) : NULL;
}

static const struct value *filter_replace(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const struct value *from = ev_text(ev, c->arg[0]), *to = ev_text(ev, c->arg[1]);
    const struct value *count = c->arg[2];

    if (!text || !from || !to)
        return NULL;
    if (count && count->type != VALUE_NULL && count->type != VALUE_INT)
        return ev_fail(ev, "replace: the count must be an integer");
    return text_replace(ev, text, from, to, count && count->type == VALUE_INT ? count->u.i : -1);
}

static const struct value *filter_format(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    struct value *values = ev_list(ev);

    if (!text)
        return NULL;
    if (c->n_rest > 0 && c->keywords->u.map.n > 0)
        return ev_fail(ev, "can't handle positional and keyword arguments at the same time");
    if (c->keywords->u.map.n > 0)
        return ev_percent(ev, text, c->keywords);
    values->plain = true;
    for (size_t i = 0; i < c->n_rest; i++)
        ev_push(ev, values, c->rest[i]);
    return ev_percent(ev, text, values);
}

/* indent(width=4, first=False, blank=False); width may be a string. */
static const struct value *filter_indent(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    bool first = c->arg[1] && jinja_truth(c->arg[1]), blank = c->arg[2] && jinja_truth(c->arg[2]);
    const struct value *text = ev_text(ev, in), *width = c->arg[0], *margin, *lines;
    struct str out;

    if (!text || !(lines = text_lines(ev, text)))
        return NULL;
    if (width && width->type != VALUE_INT && width->type != VALUE_STR)
        return ev_fail(ev, "indent: the width must be an integer or a string");
    if (width && width->type == VALUE_STR)
        margin = width;
    else
        margin =
            ev_binary(ev, OP_MULTIPLY, value_str(ev->arena, " "), width ? width : ev_int(ev, 4));
    if (!margin)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    for (size_t i = 0; i < lines->u.list.n; i++) {
        const struct value *line = lines->u.list.items[i];

        if (i > 0)
            str_putc(&out, '\n');
        if (i == 0 ? first : blank || line->u.str.len > 0)
            str_add(&out, margin->u.str.s, margin->u.str.len);
        str_add(&out, line->u.str.s, line->u.str.len);
    }
    if (str_ends(text->u.str.s, "\n")) {
        str_putc(&out, '\n');
        if (blank)
            str_add(&out, margin->u.str.s, margin->u.str.len);
    }
    return ev_take(ev, &out);
}

static const struct value *filter_split(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    if (in->type != VALUE_STR ||
        (c->arg[0] && c->arg[0]->type != VALUE_STR && c->arg[0]->type != VALUE_NULL))
        return ev_fail(ev, "split works on a string, with a string");
    if (c->arg[1] && c->arg[1]->type != VALUE_INT)
        return ev_fail(ev, "split: the limit must be an integer");
    return text_split(ev, in, c->arg[0], c->arg[1] ? c->arg[1]->u.i : -1);
}

/* truncate(length=255, killwords=False, end='...', leeway=5), in characters */
static const struct value *filter_truncate(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const struct value *end = c->arg[2] ? c->arg[2] : value_str(ev->arena, "...");
    const struct value *kept, *words;
    int64_t length, leeway;
    size_t n, n_end;

    if (!text || want_count(ev, "truncate", c->arg[0], 255, &length) < 0 ||
        want_count(ev, "truncate", c->arg[3], 5, &leeway) < 0)
        return NULL;
    if (end->type != VALUE_STR)
        return ev_fail(ev, "truncate: the end must be a string");
    if (ev_length(ev, text, &n) < 0 || ev_length(ev, end, &n_end) < 0)
        return NULL;
    if ((size_t)length < n_end)
        return ev_fail(ev, "expected length >= %zu, got %lld", n_end, (long long)length);
    if (n <= (size_t)length + (size_t)leeway)
        return text;
    kept = ev_slice(ev, text, NULL, ev_int(ev, length - (int64_t)n_end), NULL);
    if (kept && !(c->arg[1] && jinja_truth(c->arg[1]))) {
        const char *space = strrchr(kept->u.str.s, ' ');

        words = space ? ev_str(ev, kept->u.str.s, (size_t)(space - kept->u.str.s)) : kept;
        kept = words;
    }
    return kept ? ev_binary(ev, OP_ADD, kept, end) : NULL;
}

/* Runs of letters, digits and underscores. */
static const struct value *filter_wordcount(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    bool inside = false;
    int64_t words = 0;
    size_t size;

    UNUSED(c);
    for (size_t i = 0; text && i < text->u.str.len; i += size) {
        uint32_t code = unicode_decode(text->u.str.s + i, text->u.str.len - i, &size);
        bool letter = code == '_' || (code >= '0' && code <= '9') || unicode_is_letter(code);

        words += letter && !inside;
        inside = letter;
    }
    return text ? ev_int(ev, words) : NULL;
}

/* center(width=80): the left side gets less when it does not divide, as Python's str.center() */
static const struct value *filter_center(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    int64_t width, left, all;
    struct str out;
    size_t n;

    if (!text || want_count(ev, "center", c->arg[0], 80, &width) < 0 || ev_length(ev, text, &n) < 0)
        return NULL;
    if (width > (int64_t)JINJA_MAX_OUTPUT)
        return ev_fail(ev, "center: the width is too large");
    all = width > (int64_t)n ? width - (int64_t)n : 0;
    left = all / 2 + (all & width & 1);
    str_init(&out, JINJA_MAX_OUTPUT);
    str_printf(&out, "%*s%s%*s", (int)left, "", text->u.str.s, (int)(all - left), "");
    return ev_take(ev, &out);
}

/* ---- comments ------------------------------------------------------------------------------- */

struct comment_style {
    const char *name, *beginning, *decoration, *end;
};

static const struct comment_style comment_styles[] = {{"plain", "", "# ", ""},
                                                      {"c", "", "// ", ""},
                                                      {"cblock", "/*", " * ", " */"},
                                                      {"erlang", "", "% ", ""},
                                                      {"xml", "<!--", " - ", "-->"}};

static const struct comment_style *comment_style_of(struct evaluator *ev, const struct value *name)
{
    const char *wanted = !name ? "plain" : value_is_str(name) ? name->u.str.s : "?";

    for (size_t i = 0; i < ARRAY_LEN(comment_styles); i++)
        if (str_eq(comment_styles[i].name, wanted))
            return &comment_styles[i];
    ev_fail(ev, "comment: no style named '%s'", wanted);
    return NULL;
}

/* comment(style='plain', decoration=...): the decoration before every line, and a line of it, with
 * what the style has around that, before and behind. */
static const struct value *filter_comment(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct comment_style *style = comment_style_of(ev, c->arg[0]);
    const struct value *text = ev_text(ev, in);
    const char *mark;
    struct str out;
    int bare;

    if (!style || !text)
        return NULL;
    if (c->arg[1] && !value_is_str(c->arg[1]))
        return ev_fail(ev, "comment: the decoration must be a string");
    mark = c->arg[1] ? c->arg[1]->u.str.s : style->decoration;
    for (bare = (int)strlen(mark); bare > 0 && strchr(" \t\n\r\f\v", mark[bare - 1]); bare--)
        ;
    str_init(&out, JINJA_MAX_OUTPUT);
    str_printf(&out, "%s%s", style->beginning, *style->beginning ? "\n" : "");
    if (bare > 0)
        str_printf(&out, "%.*s\n", bare, mark);
    for (const char *line = text->u.str.s; line;) {
        const char *end = strchr(line, '\n');

        if (end == line)
            str_printf(&out, "%.*s\n", bare, mark);
        else
            str_printf(&out, "%s%.*s%s", mark, (int)strcspn(line, "\n"), line, end ? "\n" : "");
        line = end ? end + 1 : NULL;
    }
    str_printf(&out, "\n%.*s%s%s", bare, mark, *style->end ? "\n" : "", style->end);
    return ev_take(ev, &out);
}

/* ---- quoting and encodings ------------------------------------------------------------------ */

/* shlex.quote(): bare when it is safe. */
static const struct value *filter_quote(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_@%+=:,./-";
    const struct value *text = in->type == VALUE_NULL ? value_str(ev->arena, "") : ev_text(ev, in);
    struct str out;

    UNUSED(c);
    if (!text || (text->u.str.len > 0 && strspn(text->u.str.s, safe) == text->u.str.len))
        return text;
    str_init(&out, JINJA_MAX_OUTPUT);
    str_putc(&out, '\'');
    for (const char *p = text->u.str.s; *p; p++) {
        if (*p == '\'')
            str_puts(&out, "'\"'\"'");
        else
            str_putc(&out, *p);
    }
    str_putc(&out, '\'');
    return ev_take(ev, &out);
}

static const struct value *filter_b64encode(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    struct str out;

    UNUSED(c);
    if (!text)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    str_put_base64(&out, text->u.str.s, text->u.str.len);
    return ev_take(ev, &out);
}

static const struct value *filter_b64decode(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    struct str out;
    int decoded;

    UNUSED(c);
    if (!text)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    decoded = str_put_unbase64(&out, text->u.str.s, text->u.str.len);
    if (decoded < 0 || memchr(out.buf, '\0', out.len)) {
        str_release(&out);
        return ev_fail(ev, decoded < 0 ? "b64decode: this is not base64"
                                       : "b64decode: the result is no text");
    }
    return ev_take(ev, &out);
}

/* ---- regular expressions -------------------------------------------------------------------- */

static void put_group(struct str *out, const struct value *text, const struct regex_match *match,
                      size_t group)
{
    if (match->start[group] >= 0)
        str_add(out, text->u.str.s + match->start[group],
                (size_t)(match->end[group] - match->start[group]));
}

/* \1, \12, \g<1>, \g<name>; *p stands after the backslash. -1: no such group. */
static int template_group(struct evaluator *ev, const struct regex *re, const char **p,
                          size_t *group)
{
    const char *end;

    if (**p != 'g') {
        *group = (size_t)(*(*p)++ - '0');
        if (**p >= '0' && **p <= '9')
            *group = *group * 10 + (size_t)(*(*p)++ - '0');
    } else {
        if ((*p)[1] != '<' || !(end = strchr(*p, '>')))
            return ev_error(ev, "regular expression: missing group name");
        *p += 2;
        if (**p >= '0' && **p <= '9')
            *group = strtoul(*p, NULL, 10);
        else if (!(*group = regex_group_named(re, *p, (size_t)(end - *p))))
            return ev_error(ev, "regular expression: unknown group name");
        *p = end + 1;
    }
    if (*group > regex_groups(re))
        return ev_error(ev, "regular expression: invalid group reference %zu", *group);
    return 0;
}

static int put_replacement(struct evaluator *ev, struct str *out, const struct regex *re,
                           const struct value *text, const struct regex_match *match, const char *p)
{
    static const char names[] = "ntrfvab\\", values[] = "\n\t\r\f\v\a\b\\";

    while (*p) {
        const char *simple;
        size_t group;

        if (*p != '\\') {
            str_putc(out, *p++);
            continue;
        }
        p++;
        simple = *p ? strchr(names, *p) : NULL;
        if (simple) {
            str_putc(out, values[simple - names]);
            p++;
        } else if ((*p >= '1' && *p <= '9') || *p == 'g') {
            if (template_group(ev, re, &p, &group) < 0)
                return -1;
            put_group(out, text, match, group);
        } else if (unicode_is_letter((unsigned char)*p) || *p == '0' || !*p) {
            return ev_error(ev, "regular expression: bad escape in the replacement");
        } else {
            str_putc(out, '\\');
        }
    }
    return 0;
}

/* re.sub(): empty matches too, but none right where a match has just been empty. */
static int substitute(struct evaluator *ev, struct str *out, const struct regex *re,
                      const struct value *text, const char *replacement)
{
    struct regex_search search = regex_search_in(ev, text);
    struct regex_match match;
    size_t done = 0;
    int found;

    while ((found = ev_regex_find(ev, re, &search, &match)) > 0) {
        str_add(out, text->u.str.s + done, (size_t)match.start[0] - done);
        if (put_replacement(ev, out, re, text, &match, replacement) < 0)
            return -1;
        done = (size_t)match.end[0];
        search.from = done;
        search.must_advance = match.start[0] == match.end[0];
    }
    str_add(out, text->u.str.s + done, text->u.str.len - done);
    return found;
}

static const struct value *filter_regex_replace(struct evaluator *ev, const struct value *in,
                                                const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const struct value *to = c->arg[1] ? c->arg[1] : value_str(ev->arena, "");
    const struct regex *re = text ? ev_regex(ev, c->arg[0], c->arg[2], c->arg[3]) : NULL;
    struct str out;

    if (!re)
        return NULL;
    if (to->type != VALUE_STR)
        return ev_fail(ev, "regex_replace: the replacement must be a string");
    str_init(&out, JINJA_MAX_OUTPUT);
    if (substitute(ev, &out, re, text, to->u.str.s) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

static const struct value *group_value(struct evaluator *ev, const struct value *text,
                                       const struct regex_match *match, size_t group,
                                       const struct value *otherwise)
{
    if (match->start[group] < 0)
        return otherwise;
    return ev_str(ev, text->u.str.s + match->start[group],
                  (size_t)(match->end[group] - match->start[group]));
}

/* The groups asked for as '\\1' or '\\g<name>', as a list. */
static const struct value *wanted_groups(struct evaluator *ev, const struct regex *re,
                                         const struct value *text, const struct regex_match *match,
                                         const struct call *c)
{
    struct value *list = ev_list(ev);

    for (size_t i = 0; i < c->n_rest; i++) {
        const char *p = value_is_str(c->rest[i]) ? c->rest[i]->u.str.s : "";
        const struct value *found;
        size_t group = 0;

        if (*p++ != '\\' || (*p != 'g' && (*p < '1' || *p > '9')))
            return ev_fail(ev, "regex_search: Unknown argument");
        if (template_group(ev, re, &p, &group) < 0 ||
            !(found = group_value(ev, text, match, group, &ev_none)))
            return NULL;
        ev_push(ev, list, found);
    }
    return list;
}

static const struct value *filter_regex_search(struct evaluator *ev, const struct value *in,
                                               const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const struct regex *re = text ? ev_regex(ev, c->arg[0], c->arg[1], c->arg[2]) : NULL;
    struct regex_search search;
    struct regex_match match;
    int found;

    if (!re)
        return NULL;
    search = regex_search_in(ev, text);
    found = ev_regex_find(ev, re, &search, &match);
    if (found <= 0)
        return found < 0 ? NULL : &ev_none;
    if (c->n_rest > 0)
        return wanted_groups(ev, re, text, &match, c);
    return group_value(ev, text, &match, 0, &ev_none);
}

/* re.findall(): the match, or its one group, or a tuple of its groups. */
static const struct value *found_groups(struct evaluator *ev, const struct regex *re,
                                        const struct value *text, const struct regex_match *match)
{
    const struct value *empty = value_str(ev->arena, "");
    size_t n = regex_groups(re);
    struct value *groups;

    if (n <= 1)
        return group_value(ev, text, match, n, empty);
    groups = ev_list(ev);
    groups->plain = true;
    for (size_t i = 1; i <= n; i++) {
        const struct value *group = group_value(ev, text, match, i, empty);

        if (!group)
            return NULL;
        ev_push(ev, groups, group);
    }
    return groups;
}

static const struct value *filter_regex_findall(struct evaluator *ev, const struct value *in,
                                                const struct call *c)
{
    const struct value *text = ev_text(ev, in), *item;
    const struct regex *re = text ? ev_regex(ev, c->arg[0], c->arg[2], c->arg[1]) : NULL;
    struct value *list = ev_list(ev);
    struct regex_search search;
    struct regex_match match;
    int found;

    if (!re)
        return NULL;
    search = regex_search_in(ev, text);
    while ((found = ev_regex_find(ev, re, &search, &match)) > 0) {
        if (!(item = found_groups(ev, re, text, &match)))
            return NULL;
        ev_push(ev, list, item);
        search.from = (size_t)match.end[0];
        search.must_advance = match.start[0] == match.end[0];
    }
    return found < 0 ? NULL : list;
}

/* re.escape() */
static const struct value *filter_regex_escape(struct evaluator *ev, const struct value *in,
                                               const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    struct str out;

    UNUSED(c);
    if (!text)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    for (const char *p = text->u.str.s; *p; p++) {
        if (strchr("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", *p))
            str_putc(&out, '\\');
        str_putc(&out, *p);
    }
    return ev_take(ev, &out);
}

static const struct filter rows[] = {
    {"b64decode", "", 0, 0, filter_b64decode, "the text that the Base64 stands for"},
    {"b64encode", "", 0, 0, filter_b64encode, "the text in Base64"},
    {"capitalize", "", 0, 0, filter_capitalize, "the first letter large, the others small"},
    {"center", "width", 0, 0, filter_center, "the text in the middle of so many characters"},
    {"comment", "style decoration", 0, 0, filter_comment,
     "the text as a comment: plain, c, cblock, erlang or xml"},
    {"format", "* **", 0, 0, filter_format, "the text with its % conversions filled in"},
    {"indent", "width first blank", 0, 0, filter_indent, "every line after the first moved right"},
    {"lower", "", 0, 0, filter_lower, "the text in small letters"},
    {"quote", "", 0, 0, filter_quote, "one word for a POSIX shell"},
    {"regex_escape", "", 0, 0, filter_regex_escape, "a pattern that matches just this text"},
    {"regex_findall", "regex multiline ignorecase", 1, 0, filter_regex_findall, "every match"},
    {"regex_replace", "pattern replacement ignorecase multiline", 1, 0, filter_regex_replace,
     "the text with every match replaced"},
    {"regex_search", "regex * ignorecase multiline", 1, 0, filter_regex_search,
     "the first match, or the groups asked for, or None"},
    {"replace", "old new count", 2, 0, filter_replace, "the text with a part replaced"},
    {"split", "sep maxsplit", 0, 0, filter_split, "the parts of a text"},
    {"string", "", 0, 0, filter_string, "the value as text"},
    {"title", "", 0, 0, filter_title, "every word with a large first letter"},
    {"trim", "chars", 0, 0, filter_trim, "the text without white space around it"},
    {"truncate", "length killwords end leeway", 0, 0, filter_truncate,
     "no more than so many characters of the text"},
    {"upper", "", 0, 0, filter_upper, "the text in large letters"},
    {"wordcount", "", 0, 0, filter_wordcount, "the number of words"},
};

const struct filter_table filters_text = {rows, ARRAY_LEN(rows)};
