/*
 * lexer.c - template text to tokens, with Jinja2's rules for white space.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/jinja/ast.h"
#include "lib/jinja/unicode.h"

const struct jinja_syntax jinja_usual_syntax = {
    .begin = {"{%", "{{", "{#"}, .end = {"%}", "}}", "#}"}, .trim_blocks = true};

struct lexer {
    struct arena *arena;
    const struct jinja_syntax *syntax; /* NULL: an expression */
    const char *file;
    const char *begin, *p, *end;
    int line;
    struct token_list *out;
    char brackets[JINJA_MAX_DEPTH]; /* the closing ones that are awaited */
    size_t depth;
    struct err *err;
};

int jinja_fault(struct err *err, const char *file, int line, const char *fmt, va_list args)
{
    char *text = xvasprintf(fmt, args);

    err_set(err, ERR_INPUT, "%s:%d: %s", file, line, text);
    free(text);
    return -1;
}

PRINTF_LIKE(2, 3) static int fail(struct lexer *lx, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    jinja_fault(lx->err, lx->file, lx->line, fmt, args);
    va_end(args);
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool at(const struct lexer *lx, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(lx->end - lx->p) >= len && memcmp(lx->p, text, len) == 0;
}

static void advance(struct lexer *lx, size_t n)
{
    for (; n > 0; n--, lx->p++)
        lx->line += *lx->p == '\n';
}

static void skip_blanks(struct lexer *lx)
{
    while (lx->p < lx->end && is_blank(*lx->p))
        advance(lx, 1);
}

static struct token *push(struct lexer *lx, enum token_type type, const char *text, size_t len)
{
    struct token token = {.type = type, .line = lx->line, .text = text, .len = len};
    struct token_list *out = lx->out;

    vec_push(out, token);
    return &out->items[out->n - 1];
}

static void push_text(struct lexer *lx, const char *text, size_t len, int line, bool strip_end)
{
    while (strip_end && len > 0 && is_blank(text[len - 1]))
        len--;
    if (len > 0)
        push(lx, TOKEN_TEXT, text, len)->line = line;
}

/* The text before a block or a comment: lstrip_blocks takes the blanks that begin its line. */
static size_t without_indent(const struct lexer *lx, const char *text, size_t len)
{
    size_t kept = len;

    while (kept > 0 && text[kept - 1] != '\n' && is_blank(text[kept - 1]))
        kept--;
    if (kept > 0)
        return text[kept - 1] == '\n' ? kept : len;
    return text == lx->begin || text[-1] == '\n' ? 0 : len;
}

/* What follows a tag's closing delimiter: `-` ate the white space, a block's newline goes by
 * itself. */
static void after_tag(struct lexer *lx, char mark, bool block)
{
    if (mark == '-')
        skip_blanks(lx);
    else if (block && lx->syntax->trim_blocks && mark != '+' && lx->p < lx->end && *lx->p == '\n')
        advance(lx, 1);
}

/* ---- expressions ---------------------------------------------------------------------------- */

static bool is_base_digit(char c, int base)
{
    if (base <= 10)
        return c >= '0' && c < '0' + base;
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Copies digits with single underscores between them. */
static size_t scan_digits(const struct lexer *lx, size_t from, int base, char *out, size_t *n,
                          size_t size)
{
    const char *p = lx->p + from;

    while (p < lx->end &&
           (is_base_digit(*p, base) || (*p == '_' && p > lx->p && is_base_digit(p[-1], base) &&
                                        p + 1 < lx->end && is_base_digit(p[1], base)))) {
        if (*p != '_' && *n + 1 < size)
            out[(*n)++] = *p;
        p++;
    }
    return (size_t)(p - lx->p);
}

/* The length of a fraction and an exponent after the digits that end at `from`; 0: none, an
 * integer. */
static size_t scan_float_tail(const struct lexer *lx, size_t from, char *out, size_t *n,
                              size_t size)
{
    const char *p = lx->p + from;
    bool fraction = p + 1 < lx->end && *p == '.' && is_digit(p[1]);

    if (fraction) {
        out[(*n)++] = '.';
        from = scan_digits(lx, from + 1, 10, out, n, size);
        p = lx->p + from;
    }
    if (p < lx->end && (*p == 'e' || *p == 'E')) {
        size_t sign = p + 1 < lx->end && (p[1] == '-' || p[1] == '+');

        if (p + 1 + sign < lx->end && is_digit(p[1 + sign]) && *n + 2 < size) {
            out[(*n)++] = 'e';
            if (sign)
                out[(*n)++] = p[1];
            return scan_digits(lx, from + 1 + sign, 10, out, n, size);
        }
    }
    return fraction ? from : 0;
}

static int number_base(const struct lexer *lx)
{
    if (lx->end - lx->p < 3 || lx->p[0] != '0')
        return 10;
    switch (lx->p[1] | 0x20) {
    case 'x':
        return 16;
    case 'o':
        return 8;
    case 'b':
        return 2;
    default:
        return 10;
    }
}

static bool after_dot(const struct lexer *lx)
{
    const struct token *last = lx->out->n ? &lx->out->items[lx->out->n - 1] : NULL;

    return last && last->type == TOKEN_OPERATOR && last->text[0] == '.';
}

static int lex_number(struct lexer *lx)
{
    char digits[128];
    size_t n = 0, size = sizeof(digits) - 4, len, tail = 0;
    int base = number_base(lx);
    struct token *token;

    len = scan_digits(lx, base == 10 ? 0 : 2, base, digits, &n, size);
    if (base == 10 && !after_dot(lx))
        tail = scan_float_tail(lx, len, digits, &n, size);
    digits[n] = '\0';
    if (n == 0 || n + 1 >= size)
        return fail(lx, "not a number: %.*s", (int)(len < 40 ? len : 40), lx->p);
    token = push(lx, tail ? TOKEN_FLOAT : TOKEN_INT, "", 0);
    if (tail) {
        token->f = strtod(digits, NULL);
    } else {
        errno = 0;
        token->i = strtoll(digits, NULL, base);
        if (errno == ERANGE)
            return fail(lx, "integer out of range: %s", digits);
        if (base == 10 && n > 1 && digits[0] == '0' && token->i != 0)
            return fail(lx, "an integer cannot begin with 0: %s", digits);
    }
    advance(lx, tail ? tail : len);
    token->text = arena_strdup(lx->arena, digits);
    token->len = n;
    return 0;
}

/* Hex or octal digits of an escape, at most `most`; -1 when there are fewer than `least`. */
static long escape_digits(const char **p, const char *end, int base, int least, int most)
{
    long value = 0;
    int n = 0;

    while (n < most && *p < end && is_base_digit(**p, base)) {
        char c = **p;

        value = value * base + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        (*p)++;
        n++;
    }
    return n < least ? -1 : value;
}

/* Python's escapes; *p stands after the backslash. */
static int put_escape(struct lexer *lx, const char **p, const char *end, struct str *out)
{
    static const char names[] = "ntrabfv\\'\"";
    static const char values[] = "\n\t\r\a\b\f\v\\'\"";
    const char *simple = strchr(names, **p);
    char c = **p;
    long code;

    if (c == '\n' || (simple && c)) {
        if (c != '\n')
            str_putc(out, values[simple - names]);
        (*p)++;
        return 0;
    }
    if (c == 'N')
        return fail(lx, "\\N escapes are not supported");
    if (c >= '0' && c <= '7') {
        code = escape_digits(p, end, 8, 1, 3);
    } else if (c == 'x' || c == 'u' || c == 'U') {
        int digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;

        (*p)++;
        code = escape_digits(p, end, 16, digits, digits);
    } else {
        str_putc(out, '\\');
        return 0;
    }
    if (code <= 0 || code > UNICODE_MAX || (code >= 0xd800 && code < 0xe000))
        return fail(lx, "bad escape in a string");
    unicode_put(out, (uint32_t)code);
    return 0;
}

static int decode_string(struct lexer *lx, const char *p, const char *end, struct str *out)
{
    while (p < end) {
        if (*p != '\\') {
            str_putc(out, *p++);
            continue;
        }
        p++;
        if (put_escape(lx, &p, end, out) < 0)
            return -1;
    }
    return 0;
}

static int lex_string(struct lexer *lx)
{
    const char quote = *lx->p, *p = lx->p + 1;
    struct str decoded;
    int result;

    while (p < lx->end && *p != quote)
        p += *p == '\\' && p + 1 < lx->end ? 2 : 1;
    if (p >= lx->end)
        return fail(lx, "a string that begins with %c does not end", quote);
    str_init(&decoded, TEMPLATE_MAX_BYTES);
    result = decode_string(lx, lx->p + 1, p, &decoded);
    if (result == 0)
        push(lx, TOKEN_STRING, arena_strndup(lx->arena, decoded.buf, decoded.len), decoded.len);
    str_release(&decoded);
    advance(lx, (size_t)(p + 1 - lx->p));
    return result;
}

static int match_bracket(struct lexer *lx, char c)
{
    static const char opening[] = "([{", closing[] = ")]}";
    const char *open = strchr(opening, c);

    if (open) {
        if (lx->depth == sizeof(lx->brackets))
            return fail(lx, "brackets nested deeper than %d", JINJA_MAX_DEPTH);
        lx->brackets[lx->depth++] = closing[open - opening];
    } else if (strchr(closing, c)) {
        if (lx->depth == 0)
            return fail(lx, "unexpected '%c'", c);
        if (lx->brackets[--lx->depth] != c)
            return fail(lx, "unexpected '%c', expected '%c'", c, lx->brackets[lx->depth]);
    }
    return 0;
}

static int lex_operator(struct lexer *lx)
{
    static const char *const operators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                            "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                            ">",  "<",  "=",  ".",  ":",  "|",  ","};

    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!at(lx, operators[i]))
            continue;
        if (match_bracket(lx, operators[i][0]) < 0)
            return -1;
        push(lx, TOKEN_OPERATOR, operators[i], strlen(operators[i]));
        advance(lx, strlen(operators[i]));
        return 0;
    }
    if ((unsigned char)*lx->p < 0x20 || (unsigned char)*lx->p > 0x7e)
        return fail(lx, "unexpected character 0x%02x", (unsigned char)*lx->p);
    return fail(lx, "unexpected character '%c'", *lx->p);
}

static int lex_one(struct lexer *lx)
{
    const char *start = lx->p;

    if (is_digit(*start))
        return lex_number(lx);
    if (*start == '\'' || *start == '"')
        return lex_string(lx);
    if (!is_name_start(*start))
        return lex_operator(lx);
    while (lx->p < lx->end && (is_name_start(*lx->p) || is_digit(*lx->p)))
        lx->p++;
    push(lx, TOKEN_NAME, arena_strndup(lx->arena, start, (size_t)(lx->p - start)),
         (size_t)(lx->p - start));
    return 0;
}

/* Inside {{ }} or {% %}, up to and with the closing delimiter. */
static int lex_tag(struct lexer *lx, bool block)
{
    const char *close = lx->syntax->end[block ? JINJA_BLOCK : JINJA_PRINT];
    size_t len = strlen(close);
    int begun = lx->line;

    for (skip_blanks(lx); lx->p < lx->end; skip_blanks(lx)) {
        char mark = *lx->p;
        bool marked = (mark == '-' || (mark == '+' && block)) && (size_t)(lx->end - lx->p) > len &&
                      memcmp(lx->p + 1, close, len) == 0;

        if (lx->depth == 0 && (marked || at(lx, close))) {
            push(lx, block ? TOKEN_BLOCK_END : TOKEN_PRINT_END, close, len);
            advance(lx, marked ? len + 1 : len);
            after_tag(lx, marked ? mark : 0, block);
            return 0;
        }
        if (lex_one(lx) < 0)
            return -1;
    }
    lx->line = begun;
    return fail(lx, "a tag does not end: '%s' is missing", close);
}

/* ---- text ----------------------------------------------------------------------------------- */

static int skip_comment(struct lexer *lx)
{
    const char *end = lx->syntax->end[JINJA_COMMENT];
    const char *close = memmem(lx->p, (size_t)(lx->end - lx->p), end, strlen(end));
    char mark;

    if (!close)
        return fail(lx, "a comment does not end: '%s' is missing", end);
    mark = close > lx->p ? close[-1] : 0;
    advance(lx, (size_t)(close - lx->p) + strlen(end));
    after_tag(lx, mark, true);
    return 0;
}

/* Matches {% NAME %} at p with any marks; gives the marks and where it ends. */
static bool match_word_tag(const struct lexer *lx, const char *p, const char *name, char marks[2],
                           const char **after)
{
    const char *begin = lx->syntax->begin[JINJA_BLOCK], *close = lx->syntax->end[JINJA_BLOCK];
    const char *end = lx->end;
    size_t len = strlen(name);

    if ((size_t)(end - p) < strlen(begin) || memcmp(p, begin, strlen(begin)) != 0)
        return false;
    p += strlen(begin);
    marks[0] = p < end && (*p == '-' || *p == '+') ? *p++ : 0;
    while (p < end && is_blank(*p))
        p++;
    if ((size_t)(end - p) < len || memcmp(p, name, len) != 0)
        return false;
    p += len;
    while (p < end && is_blank(*p))
        p++;
    marks[1] = p < end && (*p == '-' || *p == '+') ? *p++ : 0;
    if ((size_t)(end - p) < strlen(close) || memcmp(p, close, strlen(close)) != 0)
        return false;
    *after = p + strlen(close);
    return true;
}

/* The text of a raw block; lx->p stands after {% raw %}. */
static int lex_raw(struct lexer *lx)
{
    const char *start = lx->p, *p = start, *after;
    int line = lx->line;
    char marks[2];

    const char *begin = lx->syntax->begin[JINJA_BLOCK];

    while ((p = memmem(p, (size_t)(lx->end - p), begin, strlen(begin)))) {
        size_t text_len = (size_t)(p - start);

        if (!match_word_tag(lx, p, "endraw", marks, &after)) {
            p++;
            continue;
        }
        if (lx->syntax->lstrip_blocks && !marks[0])
            text_len = without_indent(lx, start, text_len);
        push_text(lx, start, text_len, line, marks[0] == '-');
        advance(lx, (size_t)(after - lx->p));
        after_tag(lx, marks[1], true);
        return 0;
    }
    return fail(lx, "{%% raw %%} does not end: {%% endraw %%} is missing");
}

/* Which tag begins at p: of those that do the one with the longest delimiter; JINJA_TAGS: none. */
static enum jinja_tag tag_at(const struct lexer *lx, const char *p)
{
    enum jinja_tag found = JINJA_TAGS;
    size_t longest = 0;

    for (int i = 0; i < JINJA_TAGS; i++) {
        const char *begin = lx->syntax->begin[i];
        size_t len = *p == *begin ? strlen(begin) : 0;

        if (len > longest && (size_t)(lx->end - p) >= len && memcmp(p, begin, len) == 0) {
            found = (enum jinja_tag)i;
            longest = len;
        }
    }
    return found;
}

/* Text up to the next tag, and that tag. */
static int lex_text_and_tag(struct lexer *lx)
{
    const char *tag = lx->p, *after;
    enum jinja_tag kind = JINJA_TAGS;
    size_t len, text_len;
    char mark, marks[2];

    while (tag < lx->end && (kind = tag_at(lx, tag)) == JINJA_TAGS)
        tag++;
    len = kind == JINJA_TAGS ? 0 : strlen(lx->syntax->begin[kind]);
    mark = kind != JINJA_TAGS && (size_t)(lx->end - tag) > len ? tag[len] : 0;
    text_len = (size_t)(tag - lx->p);
    if (lx->syntax->lstrip_blocks && (kind == JINJA_BLOCK || kind == JINJA_COMMENT) && mark != '+')
        text_len = without_indent(lx, lx->p, text_len);
    push_text(lx, lx->p, text_len, lx->line, kind != JINJA_TAGS && mark == '-');
    advance(lx, (size_t)(tag - lx->p));
    if (kind == JINJA_TAGS)
        return 0;
    if (match_word_tag(lx, tag, "raw", marks, &after) && marks[1] != '+') {
        advance(lx, (size_t)(after - lx->p));
        if (marks[1] == '-')
            skip_blanks(lx);
        return lex_raw(lx);
    }
    advance(lx, mark == '-' || mark == '+' ? len + 1 : len);
    if (kind == JINJA_COMMENT)
        return skip_comment(lx);
    push(lx, kind == JINJA_BLOCK ? TOKEN_BLOCK_BEGIN : TOKEN_PRINT_BEGIN, tag, len);
    return lex_tag(lx, kind == JINJA_BLOCK);
}

/* Jinja2 reads every kind of line end as \n. */
static char *normal_newlines(struct arena *a, const char *text, size_t *len)
{
    char *copy = arena_alloc(a, *len + 1);
    size_t n = 0;

    for (size_t i = 0; i < *len; i++) {
        bool pair = text[i] == '\r' && i + 1 < *len && text[i + 1] == '\n';

        if (!pair)
            copy[n++] = text[i] == '\r' ? '\n' : text[i];
    }
    *len = n;
    return copy;
}

int jinja_lex(struct arena *a, const struct jinja_syntax *syntax, struct source where,
              const char *text, size_t len, struct token_list *out, struct err *err)
{
    bool expression = syntax == NULL;
    struct lexer lx = {.arena = a,
                       .syntax = syntax,
                       .file = where.file ? where.file : "<template>",
                       .line = where.line > 0 ? where.line : 1,
                       .out = out,
                       .err = err};

    if (len > TEMPLATE_MAX_BYTES)
        return fail(&lx, "template larger than %zu bytes", TEMPLATE_MAX_BYTES);
    if (memchr(text, '\0', len))
        return fail(&lx, "NUL byte in a template");
    lx.begin = lx.p = normal_newlines(a, text, &len);
    lx.end = lx.p + len;
    if (expression)
        skip_blanks(&lx);
    while (lx.p < lx.end) {
        if ((expression ? lex_one(&lx) : lex_text_and_tag(&lx)) < 0)
            return -1;
        if (expression)
            skip_blanks(&lx);
    }
    if (lx.depth > 0)
        return fail(&lx, "'%c' is missing", lx.brackets[lx.depth - 1]);
    push(&lx, TOKEN_END, "", 0);
    return 0;
}
