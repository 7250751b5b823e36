/*
 * parse_expr.c - tokens to expressions, with Jinja2's own precedence: its unary minus binds tighter
 * than **, and tests tighter than +.
 */
#include <stdio.h>

#include "lib/doc/fault.h"
#include "lib/jinja/eval.h"
#include "lib/jinja/parse.h"

static const struct expr *parse_unary(struct parser *p, bool with_filters);
static const struct expr *parse_or(struct parser *p);

void *parse_fail(struct parser *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    jinja_fault(p->err, p->file, p->token->line, fmt, args);
    va_end(args);
    return NULL;
}

const char *token_text(const struct token *token)
{
    switch (token->type) {
    case TOKEN_END:
        return "the end";
    case TOKEN_TEXT:
        return "text";
    default:
        return token->text;
    }
}

void *parse_unexpected(struct parser *p, const char *wanted)
{
    return parse_fail(p, "expected %s, found '%.*s'", wanted, 60, token_text(p->token));
}

void parser_next(struct parser *p)
{
    if (p->token->type != TOKEN_END)
        p->token++;
}

bool at_operator(const struct parser *p, const char *text)
{
    return p->token->type == TOKEN_OPERATOR && strcmp(p->token->text, text) == 0;
}

bool at_word(const struct parser *p, const char *name)
{
    return p->token->type == TOKEN_NAME && strcmp(p->token->text, name) == 0;
}

bool take_operator(struct parser *p, const char *text)
{
    bool found = at_operator(p, text);

    if (found)
        parser_next(p);
    return found;
}

bool take_word(struct parser *p, const char *name)
{
    bool found = at_word(p, name);

    if (found)
        parser_next(p);
    return found;
}

int want_operator(struct parser *p, const char *text)
{
    char wanted[16];

    if (take_operator(p, text))
        return 0;
    snprintf(wanted, sizeof(wanted), "'%s'", text);
    parse_unexpected(p, wanted);
    return -1;
}

bool is_reserved(const char *name)
{
    static const char *const words[] = {"and", "elif", "else", "if", "in", "is", "not", "or"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], name) == 0)
            return true;
    }
    return false;
}

/* An array in the arena; what it outgrows stays there until the arena goes. */
void *parser_grow(struct parser *p, const void *items, size_t n, size_t *cap, size_t size)
{
    void *larger;

    if (n < *cap)
        return (void *)items;
    *cap = *cap ? *cap * 2 : 4;
    larger = arena_alloc(p->arena, *cap * size);
    if (n > 0)
        memcpy(larger, items, n * size);
    return larger;
}

int parser_enter(struct parser *p)
{
    if (p->depth == JINJA_MAX_DEPTH) {
        parse_fail(p, "nested deeper than %d", JINJA_MAX_DEPTH);
        return -1;
    }
    p->depth++;
    return 0;
}

/* ---- building ------------------------------------------------------------------------------- */

struct expr *new_expr(struct parser *p, enum expr_kind kind)
{
    struct expr *e = arena_new(p->arena, struct expr);

    e->kind = kind;
    e->line = p->token->line;
    e->depth = 1;
    return e;
}

static void deepen(struct expr *e, const struct expr *child)
{
    if (child && child->depth >= e->depth)
        e->depth = child->depth + 1;
}

static void add_item(struct parser *p, struct expr *e, const struct expr *item)
{
    e->items = parser_grow(p, e->items, e->n, &e->cap, sizeof(*e->items));
    e->items[e->n++] = item;
    deepen(e, item);
}

/* The finished node, or NULL when it nests too deeply to be evaluated safely. */
static const struct expr *finished(struct parser *p, struct expr *e)
{
    deepen(e, e->left);
    deepen(e, e->right);
    return e->depth > EXPR_MAX_DEPTH ? parse_fail(p, "expression too long or nested too deeply")
                                     : e;
}

static const struct expr *new_constant(struct parser *p, const struct value *v)
{
    struct expr *e = new_expr(p, EXPR_CONST);

    e->constant = v;
    return e;
}

static const struct expr *new_binary(struct parser *p, enum operator op, const struct expr *left,
                                     const struct expr *right)
{
    struct expr *e = new_expr(p, EXPR_BINARY);

    e->operators = arena_alloc(p->arena, sizeof(*e->operators));
    e->operators[0] = op;
    e->left = left;
    e->right = right;
    return finished(p, e);
}

/* ---- operands ------------------------------------------------------------------------------- */

static int parse_argument(struct parser *p, struct arguments *args, struct expr *owner)
{
    const struct token *first = p->token;
    const struct expr *value;

    if (at_operator(p, "*") || at_operator(p, "**")) {
        parse_fail(p, "unpacking arguments with * or ** is not supported");
        return -1;
    }
    if (first->type == TOKEN_NAME && first[1].type == TOKEN_OPERATOR &&
        strcmp(first[1].text, "=") == 0) {
        parser_next(p);
        parser_next(p);
        if (!(value = parse_expression(p)))
            return -1;
        args->keywords = parser_grow(p, args->keywords, args->n_keywords, &args->cap_keywords,
                                     sizeof(*args->keywords));
        args->keywords[args->n_keywords++] = (struct keyword){first->text, value};
    } else {
        if (args->n_keywords > 0) {
            parse_fail(p, "a positional argument follows a keyword argument");
            return -1;
        }
        if (!(value = parse_expression(p)))
            return -1;
        args->positional =
            parser_grow(p, args->positional, args->n, &args->cap, sizeof(*args->positional));
        args->positional[args->n++] = value;
    }
    deepen(owner, value);
    return 0;
}

/* The opening bracket is taken already. */
static int parse_arguments(struct parser *p, struct expr *owner)
{
    struct arguments *args = arena_new(p->arena, struct arguments);

    owner->args = args;
    while (!take_operator(p, ")")) {
        if (args->n + args->n_keywords > 0 && want_operator(p, ",") < 0)
            return -1;
        if (take_operator(p, ")"))
            return 0;
        if (parse_argument(p, args, owner) < 0)
            return -1;
    }
    return 0;
}

static const struct expr *parse_list(struct parser *p)
{
    struct expr *e = new_expr(p, EXPR_LIST);

    while (!take_operator(p, "]")) {
        const struct expr *item;

        if (e->n > 0 && want_operator(p, ",") < 0)
            return NULL;
        if (take_operator(p, "]"))
            break;
        if (!(item = parse_expression(p)))
            return NULL;
        add_item(p, e, item);
    }
    return finished(p, e);
}

static const struct expr *parse_dict(struct parser *p)
{
    struct expr *e = new_expr(p, EXPR_DICT);

    while (!take_operator(p, "}")) {
        const struct expr *key, *value;

        if (e->n > 0 && want_operator(p, ",") < 0)
            return NULL;
        if (take_operator(p, "}"))
            break;
        if (!(key = parse_expression(p)) || want_operator(p, ":") < 0 ||
            !(value = parse_expression(p)))
            return NULL;
        add_item(p, e, key);
        add_item(p, e, value);
    }
    return finished(p, e);
}

static bool ends_tuple(const struct parser *p)
{
    return p->token->type == TOKEN_PRINT_END || p->token->type == TOKEN_BLOCK_END ||
           p->token->type == TOKEN_END || at_operator(p, ")");
}

/* One expression, or several with commas: a tuple. with_if: a bare `a if b` belongs to it. */
const struct expr *parse_tuple(struct parser *p, bool with_if)
{
    struct expr *tuple = new_expr(p, EXPR_TUPLE);
    bool comma = false;

    while (!ends_tuple(p)) {
        const struct expr *item = with_if ? parse_expression(p) : parse_or(p);

        if (!item)
            return NULL;
        add_item(p, tuple, item);
        comma = take_operator(p, ",");
        if (!comma)
            break;
    }
    if (tuple->n == 0)
        return parse_unexpected(p, "an expression");
    return tuple->n == 1 && !comma ? tuple->items[0] : finished(p, tuple);
}

static const struct expr *parse_brackets(struct parser *p)
{
    const struct expr *inner;

    if (take_operator(p, ")"))
        return new_expr(p, EXPR_TUPLE);
    inner = parse_tuple(p, true);
    return inner && want_operator(p, ")") == 0 ? inner : NULL;
}

/* 'a' "b" is one string, as in Python. */
static const struct expr *parse_strings(struct parser *p)
{
    struct str text;
    const struct expr *e;

    str_init(&text, TEMPLATE_MAX_BYTES);
    for (; p->token->type == TOKEN_STRING; parser_next(p))
        str_add(&text, p->token->text, p->token->len);
    e = new_constant(p, value_strn(p->arena, text.buf, text.len));
    str_release(&text);
    return e;
}

static const struct expr *parse_name(struct parser *p)
{
    static const struct {
        const char *name;
        const struct value *value;
    } constants[] = {{"true", &ev_true},   {"True", &ev_true}, {"false", &ev_false},
                     {"False", &ev_false}, {"none", &ev_none}, {"None", &ev_none}};
    const char *name = p->token->text;
    struct expr *e;

    if (is_reserved(name))
        return parse_unexpected(p, "an expression");
    e = new_expr(p, EXPR_NAME);
    e->name = name;
    parser_next(p);
    for (size_t i = 0; i < ARRAY_LEN(constants); i++) {
        if (strcmp(constants[i].name, name) == 0)
            return new_constant(p, constants[i].value);
    }
    return e;
}

static const struct expr *parse_primary(struct parser *p)
{
    const struct token *token = p->token;

    switch (token->type) {
    case TOKEN_NAME:
        return parse_name(p);
    case TOKEN_STRING:
        return parse_strings(p);
    case TOKEN_INT:
        parser_next(p);
        return new_constant(p, value_int(p->arena, token->i));
    case TOKEN_FLOAT:
        parser_next(p);
        return new_constant(p, value_float(p->arena, token->f));
    default:
        break;
    }
    if (take_operator(p, "("))
        return parse_brackets(p);
    if (take_operator(p, "["))
        return parse_list(p);
    if (take_operator(p, "{"))
        return parse_dict(p);
    return parse_unexpected(p, "an expression");
}

/* ---- what follows an operand ---------------------------------------------------------------- */

/* One bound of a slice, absent before ':' and ']'. -1 failed. */
static int parse_bound(struct parser *p, const struct expr **bound)
{
    *bound = NULL;
    if (at_operator(p, ":") || at_operator(p, "]"))
        return 0;
    *bound = parse_expression(p);
    return *bound ? 0 : -1;
}

static const struct expr *parse_item(struct parser *p, const struct expr *left)
{
    struct expr *e = new_expr(p, EXPR_ITEM);
    const struct expr *bound = NULL;

    e->left = left;
    if (at_operator(p, "]"))
        return parse_unexpected(p, "an index");
    if (parse_bound(p, &bound) < 0)
        return NULL;
    e->right = bound;
    if (at_operator(p, ":")) {
        e->kind = EXPR_SLICE;
        e->right = NULL;
        add_item(p, e, bound);
        while (e->n < 3 && take_operator(p, ":")) {
            if (parse_bound(p, &bound) < 0)
                return NULL;
            add_item(p, e, bound);
        }
        while (e->n < 3)
            add_item(p, e, NULL);
    }
    return want_operator(p, "]") < 0 ? NULL : finished(p, e);
}

static const struct expr *parse_attribute(struct parser *p, const struct expr *left)
{
    struct expr *e = new_expr(p, EXPR_ATTR);
    const struct token *token = p->token;

    e->left = left;
    e->name = token->text;
    if (token->type == TOKEN_NAME) {
        parser_next(p);
    } else if (token->type == TOKEN_INT) {
        e->kind = EXPR_ITEM;
        parser_next(p);
        e->right = new_constant(p, value_int(p->arena, token->i));
    } else {
        return parse_unexpected(p, "a name or number after '.'");
    }
    return finished(p, e);
}

/* The name of a lookup that stands in the text itself is checked before anything runs. */
static const struct expr *check_lookup(struct parser *p, const struct expr *e)
{
    static const char *const callers[] = {"lookup", "query", "q"};
    const struct expr *first = e->args && e->args->n > 0 ? e->args->positional[0] : NULL;
    bool looks_up = false;
    const char *name;

    for (size_t i = 0; i < ARRAY_LEN(callers) && e->left->kind == EXPR_NAME; i++)
        looks_up = looks_up || str_eq(e->left->name, callers[i]);
    if (!looks_up || !first || first->kind != EXPR_CONST || !value_is_str(first->constant))
        return e;
    name = first->constant->u.str.s;
    if (lookup_exists(name))
        return e;
    return parse_fail(p, "no lookup named '%s'%s", name, lookup_advice(p->arena, name));
}

static const struct expr *parse_call(struct parser *p, const struct expr *left)
{
    struct expr *e = new_expr(p, EXPR_CALL);

    e->left = left;
    if (left->kind != EXPR_NAME && left->kind != EXPR_ATTR)
        return parse_fail(p, "only functions and methods can be called");
    if (parse_arguments(p, e) < 0 || !check_lookup(p, e))
        return NULL;
    return finished(p, e);
}

static const struct expr *parse_postfix(struct parser *p, const struct expr *e)
{
    while (e) {
        if (take_operator(p, "."))
            e = parse_attribute(p, e);
        else if (take_operator(p, "["))
            e = parse_item(p, e);
        else if (take_operator(p, "("))
            e = parse_call(p, e);
        else
            break;
    }
    return e;
}

/* a.b.c, as filters and tests of collections are called; NULL when no name stands here. */
static const char *parse_dotted_name(struct parser *p, const char *what)
{
    const char *name = p->token->text;

    if (p->token->type != TOKEN_NAME)
        return parse_unexpected(p, what);
    parser_next(p);
    while (take_operator(p, ".")) {
        if (p->token->type != TOKEN_NAME)
            return parse_unexpected(p, what);
        name = arena_printf(p->arena, "%s.%s", name, p->token->text);
        parser_next(p);
    }
    return name;
}

static const char *suggestion(struct parser *p, const char *name, const char *const *known)
{
    size_t n = 0;
    const char *near;

    while (known[n])
        n++;
    near = nearest_word(name, known, n);
    return near ? arena_printf(p->arena, " (did you mean '%s'?)", near) : "";
}

static const struct expr *parse_filter(struct parser *p, const struct expr *left)
{
    struct expr *e = new_expr(p, EXPR_FILTER);
    const char *name = parse_dotted_name(p, "a filter's name"), *advice;

    if (!name)
        return NULL;
    e->left = left;
    e->name = name;
    e->filter = filter_find(name);
    if (!e->filter) {
        advice = filter_advice(p->arena, name);
        return parse_fail(p, "no filter named '%s'%s", name,
                          advice ? advice : suggestion(p, name, jinja_filter_names()));
    }
    if (take_operator(p, "(") && parse_arguments(p, e) < 0)
        return NULL;
    return finished(p, e);
}

/* `is divisibleby 3`: one argument without brackets. */
static bool begins_test_argument(const struct parser *p)
{
    switch (p->token->type) {
    case TOKEN_STRING:
    case TOKEN_INT:
    case TOKEN_FLOAT:
        return true;
    case TOKEN_NAME:
        return !is_reserved(p->token->text);
    default:
        return at_operator(p, "[") || at_operator(p, "{");
    }
}

static int parse_test_arguments(struct parser *p, struct expr *e)
{
    struct arguments *args;
    const struct expr *value;

    if (take_operator(p, "("))
        return parse_arguments(p, e);
    if (at_word(p, "is")) {
        parse_fail(p, "tests cannot be chained with 'is'");
        return -1;
    }
    if (!begins_test_argument(p))
        return 0;
    if (!(value = parse_postfix(p, parse_primary(p))))
        return -1;
    args = arena_new(p->arena, struct arguments);
    args->positional = parser_grow(p, NULL, 0, &args->cap, sizeof(*args->positional));
    args->positional[args->n++] = value;
    e->args = args;
    deepen(e, value);
    return 0;
}

static const struct expr *parse_test(struct parser *p, const struct expr *left)
{
    struct expr *e = new_expr(p, EXPR_TEST), *negated;
    bool negate = take_word(p, "not");
    const char *name;

    /* `is in (1, 2)`: the one test with a reserved word for a name. */
    name = parse_dotted_name(p, "a test's name");
    if (!name)
        return NULL;
    e->left = left;
    e->name = name;
    e->test = test_find(name);
    if (!e->test)
        return parse_fail(p, "no test named '%s'%s", name, suggestion(p, name, jinja_test_names()));
    if (parse_test_arguments(p, e) < 0 || !finished(p, e))
        return NULL;
    if (!negate)
        return e;
    negated = new_expr(p, EXPR_NOT);
    negated->left = e;
    return finished(p, negated);
}

const struct expr *parse_filters(struct parser *p, const struct expr *e)
{
    while (e) {
        if (take_operator(p, "|"))
            e = parse_filter(p, e);
        else if (take_word(p, "is"))
            e = parse_test(p, e);
        else if (take_operator(p, "("))
            e = parse_call(p, e);
        else
            break;
    }
    return e;
}

/* ---- operators, loosest last ---------------------------------------------------------------- */

static const struct expr *parse_sign(struct parser *p, enum expr_kind kind)
{
    struct expr *e = new_expr(p, kind);

    if (parser_enter(p) < 0)
        return NULL;
    parser_next(p);
    e->left = parse_unary(p, false);
    p->depth--;
    return e->left ? finished(p, e) : NULL;
}

static const struct expr *parse_unary(struct parser *p, bool with_filters)
{
    const struct expr *e;

    if (at_operator(p, "-"))
        e = parse_sign(p, EXPR_NEGATE);
    else if (at_operator(p, "+"))
        e = parse_sign(p, EXPR_POSITIVE);
    else
        e = parse_primary(p);
    e = e ? parse_postfix(p, e) : NULL;
    return e && with_filters ? parse_filters(p, e) : e;
}

struct operator_name {
    const char *text;
    enum operator op;
};

static const struct operator_name *find_operator(const struct parser *p,
                                                 const struct operator_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (at_operator(p, names[i].text))
            return &names[i];
    }
    return NULL;
}

/* The binary operators from the loosest level on; each level associates to the left. */
static const struct operator_level {
    struct operator_name names[4];
    size_t n;
} levels[] = {
    {{{"+", OP_ADD}, {"-", OP_SUBTRACT}}, 2},
    {{{"~", OP_CONCAT}}, 1},
    {{{"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {"//", OP_FLOOR_DIVIDE}, {"%", OP_MODULO}}, 4},
    {{{"**", OP_POWER}}, 1},
};

static const struct expr *parse_level(struct parser *p, size_t level)
{
    const struct expr *left, *right;
    const struct operator_name *found;

    if (level == ARRAY_LEN(levels))
        return parse_unary(p, true);
    left = parse_level(p, level + 1);
    while (left && (found = find_operator(p, levels[level].names, levels[level].n))) {
        parser_next(p);
        right = parse_level(p, level + 1);
        left = right ? new_binary(p, found->op, left, right) : NULL;
    }
    return left;
}

static bool take_relation(struct parser *p, enum operator* op)
{
    static const struct operator_name relations[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<", OP_LT},
                                                     {"<=", OP_LE}, {">", OP_GT},  {">=", OP_GE}};
    const struct operator_name *found = find_operator(p, relations, ARRAY_LEN(relations));

    if (found) {
        *op = found->op;
        parser_next(p);
        return true;
    }
    if (take_word(p, "in")) {
        *op = OP_IN;
        return true;
    }
    if (!at_word(p, "not") || p->token[1].type != TOKEN_NAME || !str_eq(p->token[1].text, "in"))
        return false;
    parser_next(p);
    parser_next(p);
    *op = OP_NOT_IN;
    return true;
}

static const struct expr *parse_compare(struct parser *p)
{
    const struct expr *operand = parse_level(p, 0);
    struct expr *e = NULL;
    enum operator op;
    size_t cap = 0;

    while (operand && take_relation(p, &op)) {
        if (!e) {
            e = new_expr(p, EXPR_COMPARE);
            add_item(p, e, operand);
        }
        e->operators = parser_grow(p, e->operators, e->n - 1, &cap, sizeof(*e->operators));
        e->operators[e->n - 1] = op;
        if (!(operand = parse_level(p, 0)))
            return NULL;
        add_item(p, e, operand);
    }
    return e && operand ? finished(p, e) : operand;
}

static const struct expr *parse_not(struct parser *p)
{
    struct expr *e;

    if (!at_word(p, "not"))
        return parse_compare(p);
    e = new_expr(p, EXPR_NOT);
    parser_next(p);
    if (parser_enter(p) < 0)
        return NULL;
    e->left = parse_not(p);
    p->depth--;
    return e->left ? finished(p, e) : NULL;
}

static const struct expr *parse_and(struct parser *p)
{
    const struct expr *left = parse_not(p);

    while (left && take_word(p, "and")) {
        struct expr *e = new_expr(p, EXPR_AND);

        e->left = left;
        e->right = parse_not(p);
        left = e->right ? finished(p, e) : NULL;
    }
    return left;
}

static const struct expr *parse_or(struct parser *p)
{
    const struct expr *left;

    if (parser_enter(p) < 0)
        return NULL;
    left = parse_and(p);
    while (left && take_word(p, "or")) {
        struct expr *e = new_expr(p, EXPR_OR);

        e->left = left;
        e->right = parse_and(p);
        left = e->right ? finished(p, e) : NULL;
    }
    p->depth--;
    return left;
}

const struct expr *parse_expression(struct parser *p)
{
    const struct expr *e = parse_or(p);

    while (e && take_word(p, "if")) {
        struct expr *choice = new_expr(p, EXPR_IF);
        const struct expr *otherwise = NULL;

        choice->left = e;
        if (!(choice->right = parse_or(p)))
            return NULL;
        if (take_word(p, "else")) {
            if (parser_enter(p) < 0)
                return NULL;
            otherwise = parse_expression(p);
            p->depth--;
            if (!otherwise)
                return NULL;
        }
        add_item(p, choice, otherwise);
        e = finished(p, choice);
    }
    return e;
}
