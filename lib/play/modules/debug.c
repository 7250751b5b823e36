/*
 * debug.c - module debug: shows a message or an expression's value.
 */
#include "lib/jinja/jinja.h"
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"msg", ARG_RAW, false, NULL, NULL, NULL, "The message; default: Hello world!"},
    {"var", ARG_STR, false, NULL, NULL, NULL, "An expression, instead of msg"},
    {"verbosity", ARG_INT, false, "0", NULL, NULL, "Only with at least so many -v"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

/* Is it shown at this verbosity? */
static bool is_shown(const struct module_call *call)
{
    return value_get_int(call->args, "verbosity", 0) <= call->verbosity;
}

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    const struct value *var = value_get(call->args, "var");
    const struct value *out = NULL;
    int rc = JINJA_OK;

    UNUSED(add);
    UNUSED(ctx);
    if (var && value_get(call->args, "msg"))
        return err_set(err, ERR_INPUT, "debug takes msg or var, not both");
    if (var && is_shown(call))
        rc = call->eval(call, call->src, var->u.str.s, &out, err);
    if (rc == JINJA_ERROR) { /* that is what one wants to know, no failure */
        out = value_strf(call->arena, "<< %s >>", err->text);
        err_release(err);
        rc = JINJA_OK;
    }
    call->own = (void *)out;
    return rc;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const char *var = value_get_str(call->args, "var", NULL);
    const struct value *shown = var ? call->own : value_get(call->args, "msg");
    struct str text;

    UNUSED(world);
    UNUSED(err);
    out->kind = PLAN_OK;
    if (!is_shown(call)) {
        out->kind = PLAN_SKIP;
        out->msg = "Verbosity threshold not met.";
        plan_result_str(call, out, "skipped_reason", out->msg);
        return 0;
    }
    if (!shown)
        shown = value_str(call->arena, "Hello world!");
    value_map_set(call->arena, plan_result(call, out), var ? var : "msg",
                  value_copy(call->arena, shown));
    str_init(&text, STR_MAX_TEXT);
    if (var)
        str_printf(&text, "%s: ", var);
    jinja_put(shown, &text);
    out->msg = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return 0;
}

const struct module module_debug = {
    .name = "debug",
    .help = "Shows a message or the value of an expression.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
