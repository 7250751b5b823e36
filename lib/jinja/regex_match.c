/*
 * regex_match.c - runs a compiled pattern with an explicit stack: backtracking as Python's, but
 * bounded in steps and memory, and without recursion on the text's length.
 */
#include "lib/base/vec.h"
#include "lib/jinja/regex_program.h"
#include "lib/jinja/unicode.h"

#define STACK_MAX ((size_t)1 << 20)

/* What to do when the present way fails: go on elsewhere, or put back an old slot on the way. */
struct choice {
    int pc; /* -1: restore a slot */
    int slot;
    ptrdiff_t at; /* place in the text, or the slot's old value */
};

struct matcher {
    const struct regex *re;
    struct regex_search *search;
    ptrdiff_t slots[REGEX_MAX_SLOTS];
    VEC(struct choice) stack;
    ptrdiff_t start; /* of this attempt */
    struct err *err;
};

static int run(struct matcher *m, int pc, ptrdiff_t at, ptrdiff_t *end, int depth);

static bool char_at(const struct matcher *m, ptrdiff_t at, uint32_t *c, ptrdiff_t *next)
{
    size_t size;

    if ((size_t)at >= m->search->len)
        return false;
    *c = unicode_decode(m->search->text + at, m->search->len - (size_t)at, &size);
    *next = at + (ptrdiff_t)size;
    return true;
}

static bool word_before(const struct matcher *m, ptrdiff_t at)
{
    ptrdiff_t start = at - 1, next;
    uint32_t c;

    if (at == 0)
        return false;
    while (start > 0 && at - start < 4 && (m->search->text[start] & 0xc0) == 0x80)
        start--;
    return char_at(m, start, &c, &next) && unicode_is_word(c);
}

static bool at_word_edge(const struct matcher *m, ptrdiff_t at)
{
    ptrdiff_t next;
    uint32_t c;
    bool after = char_at(m, at, &c, &next) && unicode_is_word(c);

    return word_before(m, at) != after;
}

static bool in_category(uint32_t c, char category)
{
    switch (category | 0x20) {
    case 'd':
        return (c >= '0' && c <= '9') == (category == 'd');
    case 'w':
        return unicode_is_word(c) == (category == 'w');
    default:
        return unicode_is_space(c) == (category == 's');
    }
}

static bool in_items(const struct char_class *set, uint32_t c)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct class_item *item = &set->items[i];

        if (item->category ? in_category(c, item->category) : c >= item->first && c <= item->last)
            return true;
    }
    return false;
}

static bool in_class(const struct matcher *m, const struct char_class *set, uint32_t c)
{
    bool found = in_items(set, c);

    if (!found && (m->re->flags & REGEX_IGNORECASE))
        found = in_items(set, unicode_lower(c)) || in_items(set, unicode_upper(c));
    return found != set->negated;
}

static bool same_char(const struct matcher *m, uint32_t a, uint32_t b)
{
    return a == b || ((m->re->flags & REGEX_IGNORECASE) && unicode_lower(a) == unicode_lower(b));
}

static bool match_one(const struct matcher *m, const struct instruction *in, ptrdiff_t *at)
{
    ptrdiff_t next;
    uint32_t c;
    bool matched;

    if (!char_at(m, *at, &c, &next))
        return false;
    if (in->op == OP_CHAR)
        matched = same_char(m, in->c, c);
    else if (in->op == OP_ANY)
        matched = c != '\n' || (m->re->flags & REGEX_DOTALL);
    else
        matched = in_class(m, in->set, c);
    if (matched)
        *at = next;
    return matched;
}

static bool match_backref(const struct matcher *m, size_t group, ptrdiff_t *at)
{
    ptrdiff_t from = m->slots[2 * group], end = m->slots[2 * group + 1], here = *at;

    if (from < 0 || end < from)
        return false;
    while (from < end) {
        uint32_t a, b;

        if (!char_at(m, from, &a, &from) || !char_at(m, here, &b, &here) || !same_char(m, a, b))
            return false;
    }
    *at = here;
    return true;
}

static bool holds(const struct matcher *m, enum opcode op, ptrdiff_t at)
{
    ptrdiff_t len = (ptrdiff_t)m->search->len;
    bool lines = m->re->flags & REGEX_MULTILINE;

    switch (op) {
    case OP_LINE_START:
        return at == 0 || (lines && m->search->text[at - 1] == '\n');
    case OP_LINE_END:
        return at == len || (at == len - 1 && m->search->text[at] == '\n') ||
               (lines && m->search->text[at] == '\n');
    case OP_TEXT_START:
        return at == 0;
    case OP_TEXT_END:
        return at == len;
    case OP_WORD_EDGE:
        return at_word_edge(m, at);
    default:
        return !at_word_edge(m, at);
    }
}

static void set_slot(struct matcher *m, int slot, ptrdiff_t value)
{
    struct choice undo = {.pc = -1, .slot = slot, .at = m->slots[slot]};

    vec_push(&m->stack, undo);
    m->slots[slot] = value;
}

/* The place to go on from after a failure; false when nothing is left above base. */
static bool backtrack(struct matcher *m, size_t base, int *pc, ptrdiff_t *at)
{
    while (m->stack.n > base) {
        struct choice choice = m->stack.items[--m->stack.n];

        if (choice.pc >= 0) {
            *pc = choice.pc;
            *at = choice.at;
            return true;
        }
        m->slots[choice.slot] = choice.at;
    }
    return false;
}

/* Drops the choices made since base, but keeps what is needed to undo the slots. */
static void commit(struct matcher *m, size_t base)
{
    size_t kept = base;

    for (size_t i = base; i < m->stack.n; i++) {
        if (m->stack.items[i].pc < 0)
            m->stack.items[kept++] = m->stack.items[i];
    }
    m->stack.n = kept;
}

static int look_ahead(struct matcher *m, const struct instruction *in, int pc, ptrdiff_t at,
                      int depth)
{
    size_t base = m->stack.n;
    ptrdiff_t end;
    int found, gone_pc;

    found = run(m, pc + 1, at, &end, depth + 1);
    if (found < 0)
        return -1;
    commit(m, base);
    if (found && in->y)
        backtrack(m, base, &gone_pc, &end);
    return found != in->y;
}

static int spend(struct matcher *m)
{
    if (m->search->steps-- <= 0 || m->stack.n > STACK_MAX)
        return err_set(m->err, ERR_INPUT, "regular expression: takes too many steps on this text");
    return 0;
}

/* One instruction: 1 went on, 0 failed here, -1 error, 2 reached the end. */
static int execute(struct matcher *m, int *pc, ptrdiff_t *at, int depth)
{
    const struct instruction *in = &m->re->program[*pc];
    struct choice other;
    int looked;

    switch (in->op) {
    case OP_CHAR:
    case OP_ANY:
    case OP_CLASS:
        ++*pc;
        return match_one(m, in, at);
    case OP_SPLIT:
        other = (struct choice){.pc = in->y, .at = *at};
        vec_push(&m->stack, other);
        *pc = in->x;
        return 1;
    case OP_JUMP:
        *pc = in->x;
        return 1;
    case OP_SAVE:
    case OP_MARK:
        set_slot(m, in->x, *at);
        ++*pc;
        return 1;
    case OP_PROGRESS: /* an empty turn leaves the loop: the jump back is skipped */
        *pc += m->slots[in->x] == *at ? 2 : 1;
        return 1;
    case OP_BACKREF:
        ++*pc;
        return match_backref(m, (size_t)in->x, at);
    case OP_LOOK:
        looked = look_ahead(m, in, *pc, *at, depth);
        *pc = in->x;
        return looked;
    case OP_MATCH:
        return depth == 0 && m->search->must_advance && *at == (ptrdiff_t)m->search->from &&
                       m->start == *at
                   ? 0
                   : 2;
    default:
        ++*pc;
        return holds(m, in->op, *at);
    }
}

static int run(struct matcher *m, int pc, ptrdiff_t at, ptrdiff_t *end, int depth)
{
    size_t base = m->stack.n;

    for (;;) {
        int result = spend(m) < 0 ? -1 : execute(m, &pc, &at, depth);

        if (result < 0)
            return -1;
        if (result == 2) {
            *end = at;
            return 1;
        }
        if (result == 0 && !backtrack(m, base, &pc, &at))
            return 0;
    }
}

static int attempt(struct matcher *m, ptrdiff_t start, struct regex_match *match)
{
    ptrdiff_t end = 0;
    int found;

    for (size_t i = 0; i < 2 * (m->re->groups + 1); i++)
        m->slots[i] = -1;
    m->stack.n = 0;
    m->start = start;
    found = run(m, 0, start, &end, 0);
    if (found <= 0)
        return found;
    for (size_t i = 1; i <= m->re->groups; i++) {
        bool set = m->slots[2 * i] >= 0 && m->slots[2 * i + 1] >= 0;

        match->start[i] = set ? m->slots[2 * i] : -1;
        match->end[i] = set ? m->slots[2 * i + 1] : -1;
    }
    match->start[0] = start;
    match->end[0] = end;
    return 1;
}

int regex_find(const struct regex *re, struct regex_search *search, struct regex_match *match,
               struct err *err)
{
    struct matcher m = {.re = re, .search = search, .stack = VEC_INIT, .err = err};
    ptrdiff_t at = (ptrdiff_t)search->from, next;
    int found = 0;
    uint32_t c;

    for (;;) {
        found = attempt(&m, at, match);
        if (found != 0 || search->anchored || !char_at(&m, at, &c, &next))
            break;
        at = next;
    }
    vec_release(&m.stack);
    return found;
}
