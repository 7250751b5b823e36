/*
 * script.c - the text of a trip.
 */
#include "lib/play/script.h"
#include "lib/base/clock.h"

#define SCRATCH "\"${TMPDIR:-/tmp}\"/" SCRIPT_TEMPORARY

/* The last "*" is for names made from such a one. No process unless there is something to remove.
 */
void script_put_sweep(struct str *script, const char *prefix)
{
    str_printf(script,
               "for f in %s[0-9]*-????????*; do\n"
               "    p=${f##*/" SCRIPT_TEMPORARY "}\n"
               "    [ ! -e \"$f\" ] || [ -d \"/proc/${p%%%%-*}\" ] || rm -rf \"$f\"\n"
               "done",
               prefix);
}

void script_mark(char mark[SCRIPT_MARK_SIZE])
{
    uint64_t random[2];

    random_bytes(random, sizeof(random));
    snprintf(mark, SCRIPT_MARK_SIZE, "@%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
}

void script_begin(struct str *script, const char *mark, bool has_fragments)
{
    str_printf(script,
               "LC_ALL=C\nexport LC_ALL\numask 077\n"
               "m() { printf '\\n%s %%s\\n' \"$1\"; }\n",
               mark);
    if (!has_fragments)
        return;
    script_put_sweep(script, SCRATCH);
    /* PIPE: the connection is gone, and so is whoever wants to know of the rest. Where a failure
     * has no message, it may have found no room: then cp meets the same fault and says so. */
    str_printf(script,
               "\nstop=\n"
               "d=$(mktemp -d " SCRATCH SCRIPT_RANDOM ") || exit 1\n"
               "trap 'rm -rf \"$d\"' EXIT\n"
               "trap 'exit 1' HUP INT TERM PIPE\n"
               "e() {\n"
               "    if [ \"$3\" = 1 ]; then\n"
               "        m \"out $1\"; head -c %d \"$d/out\" | base64\n"
               "        m \"err $1\"; head -c %d \"$d/err\" | base64\n"
               "    elif [ \"$2\" != 0 ]; then\n"
               "        m \"out $1\"; tail -c %d \"$d/out\" | base64\n"
               "        m \"err $1\"\n"
               "        { tail -c %d \"$d/err\"; [ -s \"$d/err\" ] || cp /proc/version "
               "\"$d/room\"; } 2>&1 | base64\n"
               "    fi\n"
               "    m \"end $1 $2\"\n"
               "    [ \"$2\" = 0 ] || stop=1\n"
               "    [ \"$2\" = 0 ] || [ \"$4\" = 1 ] || exit 0\n"
               "}\n",
               SCRIPT_MAX_CAPTURE, SCRIPT_MAX_CAPTURE, SCRIPT_FAILED_BYTES, SCRIPT_FAILED_BYTES);
}

void script_put_fragment(struct str *script, const struct fragment *fragment)
{
    str_printf(script, "if [ -z \"$stop\" ]; then\nm 'begin %zu'\n(\n", fragment->id);
    /* what users write expects the usual mask; our own fragments set modes themselves */
    if (fragment->captures)
        str_puts(script, "umask 022\n");
    str_printf(script, "%s%s\n) >\"$d/out\" 2>\"$d/err\"\nr=$?\n", fragment->before,
               fragment->text);
    if (fragment->unit) {
        str_puts(script, "[ $r = 0 ] || journalctl -q --no-pager -o cat -n 8 -u ");
        str_put_shell(script, fragment->unit);
        str_puts(script, " >>\"$d/err\" 2>&1\n");
    }
    if (*fragment->after)
        str_printf(script, "[ $r = 0 ] && {\n%s}\n", fragment->after);
    str_printf(script, "e %zu $r %d %d\nfi\n", fragment->id, fragment->captures, fragment->lenient);
}

bool script_section(const char *mark, const char *name, const char *answer, size_t len,
                    const char **from, const char **to)
{
    char *head = xasprintf("\n%s %s\n", mark, name), *next = xasprintf("\n%s ", mark);
    const char *start = memmem(answer, len, head, strlen(head));
    const char *end = answer + len;

    if (start) {
        *from = start + strlen(head);
        /* a section may be empty: then the newline that ends its head begins the next head */
        *to = memmem(*from - 1, (size_t)(end - (*from - 1)), next, strlen(next));
        if (!*to)
            *to = end;
        if (*to < *from)
            *to = *from;
    }
    free(head);
    free(next);
    return start != NULL;
}

bool script_status(const char *mark, size_t id, const char *answer, size_t len, int *status)
{
    char *head = xasprintf("\n%s end %zu ", mark, id);
    const char *found = memmem(answer, len, head, strlen(head));

    /* the answer is a struct str's: NUL-terminated */
    if (found)
        *status = (int)strtol(found + strlen(head), NULL, 10);
    free(head);
    return found != NULL;
}

void script_output(const char *mark, const char *stream, size_t id, const char *answer, size_t len,
                   struct str *out)
{
    char *name = xasprintf("%s %zu", stream, id);
    const char *from, *to;

    if (script_section(mark, name, answer, len, &from, &to) &&
        str_put_unbase64(out, from, (size_t)(to - from)) < 0)
        str_clear(out);
    free(name);
}

/* Does the line begin with the mark and the word? Then *id is the number behind them, up to a blank
 * or the end. */
static bool is_marked(const char *mark, const char *word, const char *line, size_t len, size_t *id)
{
    size_t head = strlen(mark) + strlen(word);

    if (len <= head || memcmp(line, mark, strlen(mark)) != 0 ||
        memcmp(line + strlen(mark), word, strlen(word)) != 0)
        return false;
    *id = 0;
    for (size_t i = head; i < len && line[i] != ' '; i++) {
        if (line[i] < '0' || line[i] > '9' || *id > 1000000)
            return false;
        *id = *id * 10 + (size_t)(line[i] - '0');
    }
    return true;
}

bool script_begins(const char *mark, const char *line, size_t len, size_t *id)
{
    return is_marked(mark, " begin ", line, len, id);
}

bool script_ends(const char *mark, const char *line, size_t len, size_t *id)
{
    return is_marked(mark, " end ", line, len, id);
}
