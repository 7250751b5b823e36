/*
 * regex.c - compiles a pattern to a small program for regex_match.c.
 */
#include <limits.h>

#include "lib/base/vec.h"
#include "lib/jinja/regex_program.h"
#include "lib/jinja/unicode.h"

#define PATTERN_MAX 8192
#define PROGRAM_MAX 20000
#define DEPTH_MAX   64
#define REPEAT_MAX  1000
#define UNBOUNDED   INT_MAX

struct compiler {
    struct arena *arena;
    struct regex *re;
    const char *p, *end;
    int depth;
    bool closed[REGEX_MAX_GROUPS];
    struct err *err;
};

static int compile_alternatives(struct compiler *c);

static int fail(struct compiler *c, const char *what)
{
    return err_set(c->err, ERR_INPUT, "regular expression: %s", what);
}

/* ---- building ------------------------------------------------------------------------------- */

static int reserve(struct compiler *c, size_t count)
{
    struct regex *re = c->re;
    struct instruction *larger;

    if (re->n + count > PROGRAM_MAX)
        return fail(c, "too large");
    if (re->n + count <= re->cap)
        return 0;
    while (re->cap < re->n + count)
        re->cap = re->cap ? re->cap * 2 : 32;
    larger = arena_alloc(c->arena, re->cap * sizeof(*larger));
    if (re->n > 0)
        memcpy(larger, re->program, re->n * sizeof(*larger));
    re->program = larger;
    return 0;
}

static int emit(struct compiler *c, struct instruction in)
{
    if (reserve(c, 1) < 0)
        return -1;
    c->re->program[c->re->n++] = in;
    return 0;
}

static bool has_target(enum opcode op)
{
    return op == OP_SPLIT || op == OP_JUMP || op == OP_LOOK;
}

static void shift_targets(struct instruction *from, size_t n, int by)
{
    for (size_t i = 0; i < n; i++) {
        if (!has_target(from[i].op))
            continue;
        from[i].x += by;
        from[i].y += from[i].op == OP_SPLIT ? by : 0;
    }
}

/* Makes room for one instruction before those from `at` on. */
static int insert(struct compiler *c, size_t at, struct instruction in)
{
    struct regex *re = c->re;

    if (reserve(c, 1) < 0)
        return -1;
    memmove(re->program + at + 1, re->program + at, (re->n - at) * sizeof(*re->program));
    re->n++;
    shift_targets(re->program + at + 1, re->n - at - 1, 1);
    re->program[at] = in;
    return 0;
}

static int append_copy(struct compiler *c, const struct instruction *body, size_t n, size_t was_at)
{
    struct regex *re = c->re;
    size_t at = re->n;

    if (reserve(c, n) < 0)
        return -1;
    if (n > 0)
        memcpy(re->program + at, body, n * sizeof(*body));
    re->n += n;
    shift_targets(re->program + at, n, (int)at - (int)was_at);
    return 0;
}

/* ---- characters ----------------------------------------------------------------------------- */

static uint32_t next_char(struct compiler *c)
{
    size_t size;
    uint32_t codepoint = unicode_decode(c->p, (size_t)(c->end - c->p), &size);

    c->p += size;
    return codepoint;
}

static int hex_escape(struct compiler *c, int digits, uint32_t *out)
{
    *out = 0;
    for (; digits > 0; digits--, c->p++) {
        const char *hex = "0123456789abcdef";
        const char *digit = c->p < c->end && *c->p ? strchr(hex, *c->p | 0x20) : NULL;

        if (!digit)
            return fail(c, "bad hexadecimal escape");
        *out = *out * 16 + (uint32_t)(digit - hex);
    }
    return 0;
}

/* After a backslash: a plain character in *out, or a category letter in *category. */
static int read_escape(struct compiler *c, uint32_t *out, char *category)
{
    static const char names[] = "ntrfva", values[] = "\n\t\r\f\v\a";
    const char *simple;
    char letter;

    *category = 0;
    if (c->p == c->end)
        return fail(c, "bad escape (end of pattern)");
    letter = *c->p;
    simple = strchr(names, letter);
    if (strchr("dwsDWS", letter) && letter) {
        *category = letter;
        c->p++;
        return 0;
    }
    if (simple && letter) {
        *out = (uint32_t)values[simple - names];
        c->p++;
        return 0;
    }
    if (letter == 'x' || letter == 'u') {
        c->p++;
        return hex_escape(c, letter == 'x' ? 2 : 4, out);
    }
    if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
        (letter >= '0' && letter <= '9'))
        return fail(c, "this escape is not supported");
    *out = next_char(c);
    return 0;
}

static void add_class_item(struct compiler *c, struct char_class *set, struct class_item item)
{
    if (set->n == set->cap) {
        struct class_item *larger;

        set->cap = set->cap ? set->cap * 2 : 8;
        larger = arena_alloc(c->arena, set->cap * sizeof(*larger));
        if (set->n > 0)
            memcpy(larger, set->items, set->n * sizeof(*larger));
        set->items = larger;
    }
    set->items[set->n++] = item;
}

static int read_class_char(struct compiler *c, uint32_t *out, char *category)
{
    *category = 0;
    if (c->p == c->end)
        return fail(c, "unterminated character set");
    if (*c->p != '\\') {
        *out = next_char(c);
        return 0;
    }
    c->p++;
    if (c->p < c->end && *c->p == 'b') {
        c->p++;
        *out = '\b';
        return 0;
    }
    return read_escape(c, out, category);
}

/* After '['. */
static int compile_class(struct compiler *c)
{
    struct char_class *set = arena_new(c->arena, struct char_class);
    bool first = true;

    if (c->p < c->end && *c->p == '^') {
        set->negated = true;
        c->p++;
    }
    for (; c->p == c->end || *c->p != ']' || first; first = false) {
        struct class_item item = {0};
        char category;

        if (read_class_char(c, &item.first, &item.category) < 0)
            return -1;
        item.last = item.first;
        if (!item.category && c->end - c->p >= 2 && c->p[0] == '-' && c->p[1] != ']') {
            c->p++;
            if (read_class_char(c, &item.last, &category) < 0)
                return -1;
            if (category || item.last < item.first)
                return fail(c, "bad character range");
        }
        add_class_item(c, set, item);
    }
    c->p++;
    return emit(c, (struct instruction){.op = OP_CLASS, .set = set});
}

static int emit_category(struct compiler *c, char category)
{
    struct char_class *set = arena_new(c->arena, struct char_class);

    add_class_item(c, set, (struct class_item){.category = category});
    return emit(c, (struct instruction){.op = OP_CLASS, .set = set});
}

/* ---- groups --------------------------------------------------------------------------------- */

static int want(struct compiler *c, char expected, const char *otherwise)
{
    if (c->p == c->end || *c->p != expected)
        return fail(c, otherwise);
    c->p++;
    return 0;
}

static int compile_capture(struct compiler *c, const char *name)
{
    size_t group = ++c->re->groups;

    if (group >= REGEX_MAX_GROUPS)
        return fail(c, "too many groups");
    c->re->names[group] = name;
    if (emit(c, (struct instruction){.op = OP_SAVE, .x = (int)(2 * group)}) < 0 ||
        compile_alternatives(c) < 0 || want(c, ')', "missing )") < 0)
        return -1;
    c->closed[group] = true;
    return emit(c, (struct instruction){.op = OP_SAVE, .x = (int)(2 * group + 1)});
}

static int compile_look_ahead(struct compiler *c, bool negative)
{
    size_t at = c->re->n;

    if (emit(c, (struct instruction){.op = OP_LOOK, .y = negative}) < 0 ||
        compile_alternatives(c) < 0 || want(c, ')', "missing )") < 0 ||
        emit(c, (struct instruction){.op = OP_MATCH}) < 0)
        return -1;
    c->re->program[at].x = (int)c->re->n;
    return 0;
}

static int emit_backref(struct compiler *c, size_t group)
{
    if (group == 0 || group > c->re->groups || !c->closed[group])
        return fail(c, "invalid group reference");
    return emit(c, (struct instruction){.op = OP_BACKREF, .x = (int)group});
}

/* After "(?P": <name> or =name. */
static int compile_named(struct compiler *c)
{
    bool reference = c->p < c->end && *c->p == '=';
    char closing = reference ? ')' : '>';
    const char *name, *stop;

    if (!reference && (c->p == c->end || *c->p != '<'))
        return fail(c, "unknown extension (?P");
    name = ++c->p;
    stop = memchr(name, closing, (size_t)(c->end - name));
    if (!stop || stop == name)
        return fail(c, "bad group name");
    c->p = stop + 1;
    if (reference)
        return emit_backref(c, regex_group_named(c->re, name, (size_t)(stop - name)));
    if (regex_group_named(c->re, name, (size_t)(stop - name)))
        return fail(c, "redefinition of a group name");
    return compile_capture(c, arena_strndup(c->arena, name, (size_t)(stop - name)));
}

/* After '('. */
static int compile_group(struct compiler *c)
{
    int result;

    if (c->depth == DEPTH_MAX)
        return fail(c, "nested too deeply");
    c->depth++;
    if (c->p == c->end || *c->p != '?') {
        result = compile_capture(c, NULL);
    } else {
        char kind = c->end - c->p > 1 ? c->p[1] : 0;

        c->p += kind ? 2 : 1;
        if (kind == ':')
            result = compile_alternatives(c) < 0 ? -1 : want(c, ')', "missing )");
        else if (kind == '=' || kind == '!')
            result = compile_look_ahead(c, kind == '!');
        else if (kind == 'P')
            result = compile_named(c);
        else
            result = fail(c, "this kind of (?...) group is not supported");
    }
    c->depth--;
    return result;
}

/* ---- atoms and repeats ---------------------------------------------------------------------- */

/* After a backslash, outside a class. */
static int compile_escape(struct compiler *c)
{
    static const struct {
        char letter;
        enum opcode op;
    } assertions[] = {
        {'A', OP_TEXT_START}, {'Z', OP_TEXT_END}, {'b', OP_WORD_EDGE}, {'B', OP_NOT_WORD_EDGE}};
    uint32_t codepoint = 0;
    char category;

    for (size_t i = 0; c->p < c->end && i < ARRAY_LEN(assertions); i++) {
        if (*c->p != assertions[i].letter)
            continue;
        c->p++;
        return emit(c, (struct instruction){.op = assertions[i].op});
    }
    if (c->p < c->end && *c->p >= '1' && *c->p <= '9') {
        size_t group = (size_t)(*c->p++ - '0');

        if (c->p < c->end && *c->p >= '0' && *c->p <= '9')
            group = group * 10 + (size_t)(*c->p++ - '0');
        return emit_backref(c, group);
    }
    if (read_escape(c, &codepoint, &category) < 0)
        return -1;
    return category ? emit_category(c, category)
                    : emit(c, (struct instruction){.op = OP_CHAR, .c = codepoint});
}

static int compile_atom(struct compiler *c)
{
    switch (*c->p) {
    case '.':
        c->p++;
        return emit(c, (struct instruction){.op = OP_ANY});
    case '^':
        c->p++;
        return emit(c, (struct instruction){.op = OP_LINE_START});
    case '$':
        c->p++;
        return emit(c, (struct instruction){.op = OP_LINE_END});
    case '[':
        c->p++;
        return compile_class(c);
    case '(':
        c->p++;
        return compile_group(c);
    case '\\':
        c->p++;
        return compile_escape(c);
    case '*':
    case '+':
    case '?':
        return fail(c, "nothing to repeat");
    default:
        return emit(c, (struct instruction){.op = OP_CHAR, .c = next_char(c)});
    }
}

static bool read_count(const char **p, const char *end, int *out)
{
    const char *start = *p;

    *out = 0;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
        *out = *out > REPEAT_MAX ? *out : *out * 10 + (**p - '0');
    return *p > start;
}

/* {m}, {m,}, {,n}, {m,n}; otherwise the brace is a plain character. */
static bool read_braces(struct compiler *c, int *min, int *max)
{
    const char *p = c->p + 1;
    bool low = read_count(&p, c->end, min), high;

    *max = *min;
    if (p < c->end && *p == ',') {
        p++;
        high = read_count(&p, c->end, max);
        if (!high)
            *max = UNBOUNDED;
    } else if (!low) {
        return false;
    }
    if (p == c->end || *p != '}')
        return false;
    c->p = p + 1;
    return true;
}

static bool read_repeat(struct compiler *c, int *min, int *max)
{
    if (c->p == c->end)
        return false;
    switch (*c->p) {
    case '*':
    case '+':
    case '?':
        *min = *c->p == '+';
        *max = *c->p == '?' ? 1 : UNBOUNDED;
        c->p++;
        return true;
    case '{':
        return read_braces(c, min, max);
    default:
        return false;
    }
}

static struct instruction split(bool lazy, int into, int past)
{
    return (struct instruction){.op = OP_SPLIT, .x = lazy ? past : into, .y = lazy ? into : past};
}

/* L: split(body, out) mark body progress jump L. A turn that matched nothing ends the loop. */
static int emit_loop(struct compiler *c, const struct instruction *body, size_t n, size_t was_at,
                     bool lazy)
{
    size_t at = c->re->n;
    int slot;

    if (c->re->loops == REGEX_MAX_LOOPS)
        return fail(c, "too many repeats");
    slot = 2 * REGEX_MAX_GROUPS + c->re->loops++;
    if (emit(c, split(lazy, (int)at + 1, 0)) < 0 ||
        emit(c, (struct instruction){.op = OP_MARK, .x = slot}) < 0 ||
        append_copy(c, body, n, was_at) < 0 ||
        emit(c, (struct instruction){.op = OP_PROGRESS, .x = slot}) < 0 ||
        emit(c, (struct instruction){.op = OP_JUMP, .x = (int)at}) < 0)
        return -1;
    c->re->program[at] = split(lazy, (int)at + 1, (int)c->re->n);
    return 0;
}

/* Optional copies: each may be left out together with those after it. */
static int emit_options(struct compiler *c, const struct instruction *body, size_t n, size_t was_at,
                        int count, bool lazy)
{
    size_t each = n + 1, end = c->re->n + each * (size_t)count;

    for (int i = 0; i < count; i++) {
        if (end > PROGRAM_MAX)
            return fail(c, "too large");
        if (emit(c, split(lazy, (int)c->re->n + 1, (int)end)) < 0 ||
            append_copy(c, body, n, was_at) < 0)
            return -1;
    }
    return 0;
}

/* Replaces the atom from `at` on by min copies and a loop or options. */
static int repeat_atom(struct compiler *c, size_t at, int min, int max, bool lazy)
{
    size_t n = c->re->n - at;
    struct instruction *body = arena_alloc(c->arena, n * sizeof(*body));

    if (max < min || min > REPEAT_MAX || (max != UNBOUNDED && max > REPEAT_MAX))
        return fail(c, "bad repeat counts");
    if (n > 0)
        memcpy(body, c->re->program + at, n * sizeof(*body));
    c->re->n = at;
    for (int i = 0; i < min; i++) {
        if (append_copy(c, body, n, at) < 0)
            return -1;
    }
    return max == UNBOUNDED ? emit_loop(c, body, n, at, lazy)
                            : emit_options(c, body, n, at, max - min, lazy);
}

static int compile_piece(struct compiler *c)
{
    size_t at = c->re->n;
    int min, max;
    bool lazy;

    if (compile_atom(c) < 0)
        return -1;
    if (!read_repeat(c, &min, &max))
        return 0;
    lazy = c->p < c->end && *c->p == '?';
    c->p += lazy;
    if (c->p < c->end && (*c->p == '+' || *c->p == '*' || *c->p == '?'))
        return fail(c, "multiple or possessive repeats are not supported");
    return repeat_atom(c, at, min, max, lazy);
}

/* a|b|c: split(a, next) a jump end; the ends are linked through y until they are known. */
static int compile_alternatives(struct compiler *c)
{
    size_t start = c->re->n;
    VEC(size_t) jumps = VEC_INIT;
    int result = 0;

    for (;;) {
        while (result == 0 && c->p < c->end && *c->p != '|' && *c->p != ')')
            result = compile_piece(c);
        if (result < 0 || c->p == c->end || *c->p != '|')
            break;
        c->p++;
        if (insert(c, start, (struct instruction){.op = OP_SPLIT}) < 0 ||
            emit(c, (struct instruction){.op = OP_JUMP}) < 0) {
            result = -1;
            break;
        }
        c->re->program[start] = split(false, (int)start + 1, (int)c->re->n);
        vec_push(&jumps, c->re->n - 1);
        start = c->re->n;
    }
    vec_each (jump, &jumps)
        c->re->program[*jump].x = (int)c->re->n;
    vec_release(&jumps);
    return result;
}

/* (?ims) at the front of the pattern. */
static int read_inline_flags(struct compiler *c)
{
    const char *p = c->p + 2;
    unsigned flags = 0;

    if (c->end - c->p < 4 || memcmp(c->p, "(?", 2) != 0)
        return 0;
    for (; p < c->end && strchr("ims", *p) && *p; p++)
        flags |= *p == 'i' ? REGEX_IGNORECASE : *p == 'm' ? REGEX_MULTILINE : REGEX_DOTALL;
    if (p == c->p + 2 || p == c->end || *p != ')')
        return 0;
    c->re->flags |= flags;
    c->p = p + 1;
    return 0;
}

struct regex *regex_compile(struct arena *a, const char *pattern, size_t len, unsigned flags,
                            struct err *err)
{
    struct regex *re = arena_new(a, struct regex);
    struct compiler c = {.arena = a, .re = re, .p = pattern, .end = pattern + len, .err = err};

    re->flags = flags;
    if (len > PATTERN_MAX) {
        fail(&c, "pattern too long");
        return NULL;
    }
    if (read_inline_flags(&c) < 0 || compile_alternatives(&c) < 0)
        return NULL;
    if (c.p < c.end) {
        fail(&c, "unbalanced parenthesis");
        return NULL;
    }
    return emit(&c, (struct instruction){.op = OP_MATCH}) < 0 ? NULL : re;
}

size_t regex_groups(const struct regex *re)
{
    return re->groups;
}

size_t regex_group_named(const struct regex *re, const char *name, size_t len)
{
    for (size_t i = 1; i <= re->groups && i < REGEX_MAX_GROUPS; i++) {
        if (re->names[i] && strlen(re->names[i]) == len && memcmp(re->names[i], name, len) == 0)
            return i;
    }
    return 0;
}
