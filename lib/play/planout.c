/*
 * planout.c - small helps to fill a struct module_plan.
 */
#include "lib/play/planout.h"

struct value *plan_result(struct module_call *call, struct module_plan *out)
{
    if (!out->result)
        out->result = value_map(call->arena);
    return out->result;
}

void plan_result_str(struct module_call *call, struct module_plan *out, const char *key,
                     const char *text)
{
    if (text)
        value_map_set(call->arena, plan_result(call, out), key, value_str(call->arena, text));
}

void plan_result_bool(struct module_call *call, struct module_plan *out, const char *key, bool b)
{
    value_map_set(call->arena, plan_result(call, out), key, value_bool(call->arena, b));
}

void plan_result_int(struct module_call *call, struct module_plan *out, const char *key, int64_t i)
{
    value_map_set(call->arena, plan_result(call, out), key, value_int(call->arena, i));
}

void plan_say(struct module_call *call, struct module_plan *out, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    out->msg = out->msg ? arena_printf(call->arena, "%s, %s", out->msg, text)
                        : arena_strdup(call->arena, text);
    free(text);
}

int plan_fail(struct module_call *call, struct module_plan *out, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    out->kind = PLAN_FAIL;
    out->msg = arena_strdup(call->arena, text);
    plan_result_str(call, out, "msg", text);
    free(text);
    return 0;
}

void script_step(struct str *script)
{
    /* After a here-document the line before it already ends in &&. */
    if (script->len > 0 && script->buf[script->len - 1] != '\n')
        str_puts(script, " &&\n");
}

void script_run(struct str *script, const char *command, ...)
{
    const char *word;
    va_list words;

    script_step(script);
    str_puts(script, command);
    va_start(words, command);
    while ((word = va_arg(words, const char *))) {
        str_putc(script, ' ');
        str_put_shell(script, word);
    }
    va_end(words);
}

static struct value *split_lines(struct arena *a, const char *text)
{
    struct value *lines = value_list(a);

    while (*text) {
        size_t n = strcspn(text, "\n");
        size_t kept = n > 0 && text[n - 1] == '\r' ? n - 1 : n;

        value_list_add(a, lines, value_strn(a, text, kept));
        text += n + (text[n] == '\n');
    }
    return lines;
}

static void set_output(struct module_call *call, struct module_plan *plan, const char *key,
                       const char *text, bool strip)
{
    size_t len = strlen(text);
    struct value *kept;

    while (strip && len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    kept = value_strn(call->arena, text, len);
    value_map_set(call->arena, plan_result(call, plan), key, kept);
    value_map_set(call->arena, plan->result, arena_printf(call->arena, "%s_lines", key),
                  split_lines(call->arena, kept->u.str.s));
}

void finish_captured(struct module_call *call, struct module_plan *plan, int rc, const char *out,
                     const char *errout, bool strip)
{
    plan_result_int(call, plan, "rc", rc);
    set_output(call, plan, "stdout", out, strip);
    set_output(call, plan, "stderr", errout, strip);
    if (rc != 0) {
        plan_result_bool(call, plan, "failed", true);
        plan_result_str(call, plan, "msg", "non-zero return code");
    }
}
