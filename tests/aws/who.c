/*
 * who.c - whose keys, and for which region, as one JSON object:
 * {"id","secret","token","source","region"}, or
 * {"error","hint"}. who [PROFILE]
 */
#include <stdio.h>

#include "lib/doc/json.h"
#include "providers/aws/session.h"

static void set(struct arena *a, struct value *map, const char *key, const char *text)
{
    if (text)
        value_map_set(a, map, key, value_str(a, text));
}

int main(int argc, char **argv)
{
    struct aws_wish wish = {.profile = argc > 1 ? argv[1] : NULL};
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct value *v = value_map(&arena);
    struct aws_keys keys = {0};
    struct aws_session *s = aws_session_open(&wish, &err);
    struct str out;

    if (s && aws_session_keys(s, &keys, &err) == 0) {
        set(&arena, v, "id", keys.id);
        set(&arena, v, "secret", keys.secret);
        set(&arena, v, "token", keys.token);
        set(&arena, v, "source", aws_session_source(s));
        set(&arena, v, "region", aws_session_client(s)->region);
    } else {
        set(&arena, v, "error", err.text);
        set(&arena, v, "hint", err.hint);
    }
    str_init(&out, STR_MAX_TEXT);
    json_write(v, JSON_TIGHT, &out);
    puts(out.buf);
    str_release(&out);
    aws_keys_release(&keys);
    aws_session_close(s);
    err_release(&err);
    arena_release(&arena);
    return 0;
}
