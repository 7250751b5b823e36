/*
 * parser.c - tokens to statements: text, {{ }}, if, for, set; and the public ways in.
 */
#include "lib/jinja/parse.h"

static int parse_body(struct parser *p, struct body *body);

static int want_block_end(struct parser *p)
{
    if (p->token->type != TOKEN_BLOCK_END) {
        parse_unexpected(p, "'%}'");
        return -1;
    }
    parser_next(p);
    return 0;
}

static struct stmt *new_stmt(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = arena_new(p->arena, struct stmt);

    s->kind = kind;
    s->line = p->token->line;
    return s;
}

static int parse_target(struct parser *p, struct target *target)
{
    bool brackets = take_operator(p, "(");

    do {
        const char *name = p->token->text;

        if (target->n > 0 && p->token->type != TOKEN_NAME)
            break; /* a trailing comma */
        if (p->token->type != TOKEN_NAME || is_reserved(name)) {
            parse_unexpected(p, "a name");
            return -1;
        }
        target->names =
            parser_grow(p, target->names, target->n, &target->cap, sizeof(*target->names));
        target->names[target->n++] = name;
        parser_next(p);
        target->unpack |= at_operator(p, ",");
    } while (take_operator(p, ","));
    return brackets ? want_operator(p, ")") : 0;
}

/* Whether {% NAME stands here. */
static bool at_tag(const struct parser *p, const char *name)
{
    return p->token->type == TOKEN_BLOCK_BEGIN && p->token[1].type == TOKEN_NAME &&
           strcmp(p->token[1].text, name) == 0;
}

static bool take_tag(struct parser *p, const char *name)
{
    if (!at_tag(p, name))
        return false;
    parser_next(p);
    parser_next(p);
    return true;
}

static int want_end_tag(struct parser *p, const char *name, const char *begun, int line)
{
    if (take_tag(p, name))
        return want_block_end(p);
    parse_fail(p, "expected {%% %s %%} for the '%s' of line %d, found '%s'", name, begun, line,
               p->token->type == TOKEN_BLOCK_BEGIN ? token_text(p->token + 1)
                                                   : token_text(p->token));
    return -1;
}

static struct stmt *parse_if(struct parser *p)
{
    struct stmt *s = new_stmt(p, STMT_IF);
    struct branch **link = &s->branches;

    do {
        struct branch *branch = arena_new(p->arena, struct branch);

        *link = branch;
        link = &branch->next;
        if (!(branch->condition = parse_tuple(p, false)) || want_block_end(p) < 0 ||
            parse_body(p, &branch->body) < 0)
            return NULL;
    } while (take_tag(p, "elif"));
    if (take_tag(p, "else")) {
        *link = arena_new(p->arena, struct branch);
        if (want_block_end(p) < 0 || parse_body(p, &(*link)->body) < 0)
            return NULL;
    }
    return want_end_tag(p, "endif", "if", s->line) < 0 ? NULL : s;
}

static struct stmt *parse_for(struct parser *p)
{
    struct stmt *s = new_stmt(p, STMT_FOR);

    if (parse_target(p, &s->target) < 0)
        return NULL;
    if (!take_word(p, "in"))
        return parse_unexpected(p, "'in'");
    if (!(s->value = parse_tuple(p, false)))
        return NULL;
    if (take_word(p, "if") && !(s->condition = parse_expression(p)))
        return NULL;
    if (at_word(p, "recursive"))
        return parse_fail(p, "recursive loops are not supported");
    if (want_block_end(p) < 0 || parse_body(p, &s->body) < 0)
        return NULL;
    if (take_tag(p, "else") && (want_block_end(p) < 0 || parse_body(p, &s->otherwise) < 0))
        return NULL;
    return want_end_tag(p, "endfor", "for", s->line) < 0 ? NULL : s;
}

/* {% set x %}text{% endset %}, {% set x | filter %}text{% endset %} */
static struct stmt *parse_set_block(struct parser *p, struct stmt *s)
{
    s->kind = STMT_SET_BLOCK;
    if (at_operator(p, "|")) {
        struct expr *text = new_expr(p, EXPR_NAME);

        text->name = BLOCK_TEXT_NAME;
        if (!(s->value = parse_filters(p, text)))
            return NULL;
    }
    if (want_block_end(p) < 0 || parse_body(p, &s->body) < 0)
        return NULL;
    return want_end_tag(p, "endset", "set", s->line) < 0 ? NULL : s;
}

static struct stmt *parse_set(struct parser *p)
{
    struct stmt *s = new_stmt(p, STMT_SET);

    if (parse_target(p, &s->target) < 0)
        return NULL;
    if (s->target.n == 1 && take_operator(p, ".")) {
        s->kind = STMT_SET_ATTR;
        s->text = p->token->text;
        if (p->token->type != TOKEN_NAME)
            return parse_unexpected(p, "an attribute's name");
        parser_next(p);
    }
    if (s->kind == STMT_SET && !s->target.unpack && !at_operator(p, "="))
        return parse_set_block(p, s);
    if (want_operator(p, "=") < 0 || !(s->value = parse_tuple(p, true)))
        return NULL;
    return want_block_end(p) < 0 ? NULL : s;
}

static struct stmt *parse_print(struct parser *p)
{
    struct stmt *s = new_stmt(p, STMT_PRINT);

    if (!(s->value = parse_tuple(p, true)))
        return NULL;
    if (p->token->type != TOKEN_PRINT_END)
        return parse_unexpected(p, "'}}'");
    parser_next(p);
    return s;
}

static struct stmt *parse_tag(struct parser *p)
{
    if (take_word(p, "if"))
        return parse_if(p);
    if (take_word(p, "for"))
        return parse_for(p);
    if (take_word(p, "set"))
        return parse_set(p);
    if (p->token->type != TOKEN_NAME)
        return parse_unexpected(p, "a statement");
    return parse_fail(p, "'%s' is not supported here; statements are if, for, set and raw",
                      p->token->text);
}

static struct stmt *parse_text(struct parser *p)
{
    struct stmt *s = new_stmt(p, STMT_TEXT);

    s->text = p->token->text;
    s->len = p->token->len;
    parser_next(p);
    return s;
}

/* Whether a tag stands here that ends or divides the body around it. */
static bool ends_body(const struct parser *p)
{
    static const char *const enders[] = {"elif", "else", "endif", "endfor", "endset"};

    if (p->token->type == TOKEN_END)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(enders); i++) {
        if (at_tag(p, enders[i]))
            return true;
    }
    return false;
}

static int parse_body(struct parser *p, struct body *body)
{
    if (parser_enter(p) < 0)
        return -1;
    while (!ends_body(p)) {
        struct stmt *s;

        if (p->token->type == TOKEN_TEXT) {
            s = parse_text(p);
        } else {
            bool block = p->token->type == TOKEN_BLOCK_BEGIN;

            parser_next(p);
            s = block ? parse_tag(p) : parse_print(p);
        }
        if (!s)
            return -1;
        body->items = parser_grow(p, body->items, body->n, &body->cap, sizeof(*body->items));
        body->items[body->n++] = s;
    }
    p->depth--;
    return 0;
}

static int parse_whole_expression(struct parser *p, struct jinja_template *t)
{
    t->expression = parse_expression(p);
    if (t->expression && p->token->type != TOKEN_END)
        parse_unexpected(p, "the end of the expression");
    return t->expression && p->token->type == TOKEN_END ? 0 : -1;
}

static int parse_whole_template(struct parser *p, struct jinja_template *t)
{
    if (parse_body(p, &t->body) < 0)
        return -1;
    if (p->token->type == TOKEN_END)
        return 0;
    parser_next(p);
    parse_fail(p, "{%% %s %%} closes nothing", p->token->text);
    return -1;
}

/* syntax NULL: an expression. */
static struct jinja_template *parse(struct arena *a, const struct jinja_syntax *syntax,
                                    struct source where, const char *text, size_t len,
                                    struct err *err)
{
    struct jinja_template *t = arena_new(a, struct jinja_template);
    struct token_list tokens = VEC_INIT;
    struct parser p = {.arena = a, .err = err};
    int result;

    t->file = arena_strdup(a, where.file ? where.file : "<template>");
    result = jinja_lex(a, syntax, where, text, len, &tokens, err);
    if (result == 0) {
        p.file = t->file;
        p.token = tokens.items;
        result = syntax ? parse_whole_template(&p, t) : parse_whole_expression(&p, t);
    }
    vec_release(&tokens);
    return result == 0 ? t : NULL;
}

struct jinja_template *jinja_parse(struct arena *a, struct source where, const char *text,
                                   size_t len, struct err *err)
{
    return parse(a, &jinja_usual_syntax, where, text, len, err);
}

struct jinja_template *jinja_parse_as(struct arena *a, const struct jinja_syntax *syntax,
                                      struct source where, const char *text, size_t len,
                                      struct err *err)
{
    for (int i = 0; i < JINJA_TAGS; i++)
        if (!*syntax->begin[i] || !*syntax->end[i] ||
            str_eq(syntax->begin[i], syntax->begin[(i + 1) % JINJA_TAGS])) {
            err_set(err, ERR_INPUT,
                    "block, variable and comment start strings must be different, and not empty");
            return NULL;
        }
    return parse(a, syntax, where, text, len, err);
}

struct jinja_template *jinja_parse_expression(struct arena *a, struct source where,
                                              const char *text, size_t len, struct err *err)
{
    return parse(a, NULL, where, text, len, err);
}
