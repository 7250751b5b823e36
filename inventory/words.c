/*
 * words.c - words of a line by Python's shlex rules, which Ansible uses for INI host lines and for
 * ansible_ssh_common_args. They differ from a shell's: no expansion, and # ends the line anywhere.
 */
#include "inventory/internal.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* *at stands behind the opening quote. Inside "" a backslash escapes only " and itself. */
static int add_quoted(const char **at, const char *end, char quote, struct str *word)
{
    const char *p = *at;

    for (; p < end && *p != quote; p++) {
        if (quote == '"' && *p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\'))
            p++;
        str_putc(word, *p);
    }
    if (p == end)
        return -1;
    *at = p + 1;
    return 0;
}

int words_next(const char **at, const char *end, bool comments, struct str *word, const char **why)
{
    const char *p = *at;

    str_clear(word);
    while (p < end && is_blank(*p))
        p++;
    *at = end;
    if (p == end || (comments && *p == '#'))
        return 0;
    while (p < end && !is_blank(*p)) {
        if (comments && *p == '#')
            return 1;
        if (*p == '\'' || *p == '"') {
            char quote = *p++;

            if (add_quoted(&p, end, quote, word) < 0) {
                *why = "a quote is not closed";
                return -1;
            }
        } else if (*p == '\\') {
            if (++p == end) {
                *why = "nothing follows the backslash at the end";
                return -1;
            }
            str_putc(word, *p++);
        } else {
            str_putc(word, *p++);
        }
    }
    *at = p;
    return 1;
}
