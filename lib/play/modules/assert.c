/*
 * assert.c - module assert: fails unless all expressions are true.
 */
#include "lib/jinja/jinja.h"
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"that", ARG_RAW, true, NULL, NULL, NULL, "An expression, or a list of them, as in when"},
    {"fail_msg", ARG_RAW, false, "Assertion failed", NULL, "msg", "Shown when one is false"},
    {"success_msg", ARG_RAW, false, "All assertions passed", NULL, NULL, "Shown when all are true"},
    {"quiet", ARG_BOOL, false, "no", NULL, NULL, "Say nothing when all are true"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static const struct value all_true = {.type = VALUE_NULL};

/* One of `that`: true 1, false 0; -1 with err; 2: not known yet. */
static int holds(struct module_call *call, const struct value *that, struct err *err)
{
    const struct value *v = that;
    int rc = JINJA_OK;

    if (that->type == VALUE_STR)
        rc = call->eval(call, that->src.line ? that->src : call->src, that->u.str.s, &v, err);
    if (rc != JINJA_OK)
        return rc == JINJA_PENDING ? 2 : -1;
    if (v->type != VALUE_BOOL)
        return err_set(err, ERR_INPUT, "a condition must be true or false, not a %s: %s",
                       value_type_name(v->type), value_is_str(that) ? that->u.str.s : "");
    return v->u.b;
}

/* call->own becomes the first that is false, or all_true. */
static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    const struct value *that = value_get(call->args, "that");
    bool many = that->type == VALUE_LIST;
    size_t n = many ? that->u.list.n : 1;

    UNUSED(add);
    UNUSED(ctx);
    call->own = (void *)&all_true;
    for (size_t i = 0; i < n; i++) {
        const struct value *item = many ? that->u.list.items[i] : that;
        int rc = holds(call, item, err);

        if (rc < 0 || rc == 2)
            return rc < 0 ? -1 : 1;
        if (rc == 0) {
            call->own = (void *)item;
            return 0;
        }
    }
    return 0;
}

static const char *message(struct module_call *call, const char *key)
{
    struct str text;
    const char *kept;

    str_init(&text, STR_MAX_TEXT);
    jinja_put(value_get(call->args, key), &text);
    kept = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return kept;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct value *broken = call->own;
    bool ok = broken == &all_true;
    const char *key = ok ? "success_msg" : "fail_msg";

    UNUSED(world);
    UNUSED(err);
    out->kind = ok ? PLAN_OK : PLAN_FAIL;
    out->msg = ok && value_get_bool(call->args, "quiet", false) ? NULL : message(call, key);
    value_map_set(call->arena, plan_result(call, out), "msg",
                  value_copy(call->arena, value_get(call->args, key)));
    if (!ok) {
        value_map_set(call->arena, out->result, "assertion", value_copy(call->arena, broken));
        plan_result_bool(call, out, "evaluated_to", false);
    }
    return 0;
}

const struct module module_assert = {
    .name = "assert",
    .help = "Fails unless all expressions are true.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
