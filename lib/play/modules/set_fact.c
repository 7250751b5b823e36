/*
 * set_fact.c - module set_fact: variables of the host for the rest of the run.
 */
#include <ctype.h>

#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"cacheable", ARG_BOOL, false, "no", NULL, NULL, "Accepted, without effect: there is no cache"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static bool is_variable_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalpha((unsigned char)*p) && *p != '_' && (p == name || !isdigit((unsigned char)*p)))
            return false;
    return *name != '\0';
}

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    struct value *facts = value_map(call->arena);

    UNUSED(add);
    UNUSED(ctx);
    for (size_t i = 0; i < call->args->u.map.n; i++) {
        const struct value_entry *entry = &call->args->u.map.entries[i];

        if (str_eq(entry->key, "cacheable"))
            continue;
        if (!is_variable_name(entry->key))
            return err_set(err, ERR_INPUT, "'%s' cannot be the name of a variable", entry->key);
        value_map_set(call->arena, facts, entry->key, entry->value);
    }
    if (facts->u.map.n == 0)
        return err_set(err, ERR_INPUT, "set_fact needs at least one name: value");
    call->own = facts;
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    UNUSED(world);
    UNUSED(err);
    out->kind = PLAN_OK;
    value_map_set(call->arena, plan_result(call, out), "ansible_facts", call->own);
    return 0;
}

const struct module module_set_fact = {
    .name = "set_fact",
    .help = "Sets variables of the host; every argument is a name with its value.",
    .args = args,
    .any_args = true,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
