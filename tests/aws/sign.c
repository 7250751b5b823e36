/*
 * sign.c - signs what it reads, for comparison with others: one JSON object a line of stdin, one a
 * line of stdout.
 *
 * {"method","path","query","headers":[["Host","x"],...],"body","keep_path","id","secret","region","service","time"}
 * -> {"canonical","authorization"}
 */
#include <stdio.h>

#include "lib/doc/json.h"
#include "providers/aws/sigv4.h"

enum { HEADERS_MAX = 64 };

static const char *text_of(const struct value *v, const char *key)
{
    return value_get_str(v, key, "");
}

static void sign(struct arena *a, const struct value *v)
{
    const struct value *list = value_get(v, "headers");
    struct sigv4_header headers[HEADERS_MAX];
    struct sigv4_request r = {.method = text_of(v, "method"),
                              .path = text_of(v, "path"),
                              .query = text_of(v, "query"),
                              .headers = headers,
                              .body = text_of(v, "body"),
                              .body_len = strlen(text_of(v, "body")),
                              .keep_path = value_get_bool(v, "keep_path", false)};
    struct sigv4_key key = {text_of(v, "id"), text_of(v, "secret"), text_of(v, "region"),
                            text_of(v, "service"), text_of(v, "time")};
    struct value *answer = value_map(a);
    struct str text;

    for (; r.n_headers < list->u.list.n && r.n_headers < HEADERS_MAX; r.n_headers++) {
        struct value *const *pair = list->u.list.items[r.n_headers]->u.list.items;

        headers[r.n_headers] = (struct sigv4_header){pair[0]->u.str.s, pair[1]->u.str.s};
    }
    str_init(&text, STR_MAX_TEXT);
    sigv4_canonical(&r, &text);
    value_map_set(a, answer, "canonical", value_str(a, text.buf));
    str_clear(&text);
    sigv4_authorization(&r, &key, &text);
    value_map_set(a, answer, "authorization", value_str(a, text.buf));
    str_clear(&text);
    json_write(answer, JSON_TIGHT, &text);
    puts(text.buf);
    str_release(&text);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while ((len = getline(&line, &cap, stdin)) > 0) {
        struct arena arena = ARENA_INIT;
        struct err err = ERR_INIT;
        const struct value *v = json_parse(&arena, "stdin", line, (size_t)len, &err);

        if (!v) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        sign(&arena, v);
        arena_release(&arena);
    }
    free(line);
    return 0;
}
