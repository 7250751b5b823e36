/*
 * lines.c - a file's lines, for the modules that edit text.
 */
#include "lib/play/lines.h"

#define MAX_STEPS 1000000 /* of one search in one line */

void lines_split(struct lines *lines, struct arena *a, const char *text, size_t len)
{
    *lines = (struct lines){.arena = a};
    while (len > 0) {
        const char *newline = memchr(text, '\n', len);
        size_t n = newline ? (size_t)(newline - text) + 1 : len;

        vec_push(lines, arena_strndup(a, text, n));
        text += n;
        len -= n;
    }
}

void lines_release(struct lines *lines)
{
    vec_release(lines);
}

static const char *ended(struct lines *lines, const char *line)
{
    return arena_printf(lines->arena, "%s%s", line, str_ends(line, "\n") ? "" : "\n");
}

void lines_insert(struct lines *lines, size_t at, const char *line)
{
    vec_push(lines, NULL);
    memmove(lines->items + at + 1, lines->items + at, (lines->n - 1 - at) * sizeof(*lines->items));
    lines->items[at] = ended(lines, line);
}

void lines_replace(struct lines *lines, size_t at, const char *line)
{
    lines->items[at] = ended(lines, line);
}

void lines_remove(struct lines *lines, size_t at, size_t n)
{
    memmove(lines->items + at, lines->items + at + n, (lines->n - at - n) * sizeof(*lines->items));
    lines->n -= n;
}

void lines_end_last(struct lines *lines)
{
    if (lines->n > 0)
        lines_replace(lines, lines->n - 1, lines->items[lines->n - 1]);
}

char *lines_join(const struct lines *lines, struct arena *a, size_t *len)
{
    struct str text;
    char *joined;

    str_init(&text, STR_MAX_TEXT);
    for (size_t i = 0; i < lines->n; i++)
        str_puts(&text, lines->items[i]);
    *len = text.len;
    joined = arena_strndup(a, text.buf, text.len);
    str_release(&text);
    return joined;
}

const char *lines_bare(const struct lines *lines, size_t at)
{
    const char *line = lines->items[at];
    size_t len = strlen(line);

    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    return arena_strndup(lines->arena, line, len);
}

int lines_search(const struct lines *lines, size_t at, const struct regex *re,
                 struct regex_match *match, struct err *err)
{
    struct regex_match ignored;
    struct regex_search search = {
        .text = lines->items[at], .len = strlen(lines->items[at]), .steps = MAX_STEPS};

    return regex_find(re, &search, match ? match : &ignored, err);
}

int lines_of_file(struct world *world, const char *path, const char **text, size_t *len,
                  struct err *err)
{
    const struct path_state *file = world_path(world, path);

    *text = NULL;
    *len = 0;
    if (file->type == 0)
        return 0;
    if (file->type == 'd')
        return err_set(err, ERR_FAILED, "Path %s is a directory !", path);
    if (file->type == 'l')
        return err_set(err, ERR_CONFLICT, "%s is a symbolic link to %s: name that file", path,
                       file->link);
    if (file->type != 'f')
        return err_set(err, ERR_CONFLICT, "%s is no regular file", path);
    if (!file->content)
        return err_set(err, ERR_FAILED, "%s is larger than %d bytes: too large to edit", path,
                       WORLD_MAX_CONTENT);
    if (memchr(file->content, '\0', file->content_len))
        return err_set(err, ERR_FAILED, "%s is no text: it has NUL bytes", path);
    *text = file->content;
    *len = file->content_len;
    return 0;
}
