/*
 * step.c - one task on one host: from the playbook's text to a plan and a result.
 */
#include "lib/play/args.h"
#include "lib/play/controller.h"
#include "lib/play/planout.h"
#include "lib/play/vars.h"

#define DEFAULT_RETRIES 3
#define DEFAULT_DELAY_S 5
#define MAX_RETRIES     10000
#define SUMMARY_MAX     100 /* bytes of a command shown in a summary */
#define MAX_LOOP_ITEMS  10000
#define MAX_GATHERED    20000 /* tasks looked at in advance */

/* ---- what a module may ask of the runner ---- */

/* Ansible keeps the newlines at a template's end, though a block's takes the one after it. */
static void keep_last_newlines(const char *text, size_t len, size_t from, struct str *out)
{
    size_t wanted = 0, there = 0;

    while (wanted < len && text[len - 1 - wanted] == '\n')
        wanted++;
    while (there < out->len - from && out->buf[out->len - 1 - there] == '\n')
        there++;
    for (; there < wanted; there++)
        str_putc(out, '\n');
}

static int render_text(struct module_call *call, const struct jinja_syntax *syntax,
                       const char *file, const char *text, size_t len, struct str *out,
                       struct err *err)
{
    struct scope *scope = call->data;
    struct jinja_controller controller = controller_of(scope);
    struct jinja_scope names = {.get = vars_get, .data = scope, .controller = &controller};
    struct source where = {file, 1, 1};
    struct jinja_template *t = jinja_parse_as(call->arena, syntax, where, text, len, err);

    size_t from = out->len;
    enum jinja_result rc = t ? jinja_render(t, &names, out, err) : JINJA_ERROR;

    if (rc == JINJA_OK)
        keep_last_newlines(text, len, from, out);
    return (int)rc;
}

static int eval_text(struct module_call *call, struct source where, const char *expression,
                     const struct value **out, struct err *err)
{
    struct jinja_template *t =
        jinja_parse_expression(call->arena, where, expression, strlen(expression), err);

    return t ? (int)vars_expression(call->data, call->arena, t, out, err) : JINJA_ERROR;
}

static const char *folder_kind(const struct task *task)
{
    return str_eq(task->module->name, "template") ? "templates" : "files";
}

static bool choose(enum choice choice, bool otherwise)
{
    return choice == CHOICE_UNSET ? otherwise : choice == CHOICE_YES;
}

/* Renders and types the arguments. enum jinja_result. */
int step_fill_call(struct host *host, struct step *step, struct scope *scope, struct arena *a,
                   struct err *err)
{
    const struct task *task = step->task;
    const struct run *run = host->run;
    const struct value *raw = NULL;
    enum jinja_result rc = JINJA_OK;

    step->call = (struct module_call){.arena = a,
                                      .src = task->src,
                                      .assets = run->assets,
                                      .search = search_folders(scope, folder_kind(task), a),
                                      .check_mode = step->check,
                                      .diff = choose(task->diff, run->options->diff),
                                      .render = render_text,
                                      .eval = eval_text,
                                      .world = &host->world,
                                      .verbosity = run->options->verbosity,
                                      .now_s = run->now_s,
                                      .include = task->include,
                                      .data = scope};
    if (task->free_form)
        rc = vars_text(scope, a, task->free_form, &step->call.free_form, err);
    if (rc == JINJA_OK && task->args)
        rc = vars_render(scope, a, task->args, &raw, err);
    if (rc != JINJA_OK)
        return rc;
    if (raw && raw->type != VALUE_MAP) {
        err_set(err, ERR_INPUT, "arguments must be a mapping");
        return JINJA_ERROR;
    }
    step->call.args = args_type(a, task->module, raw ? raw : value_map(a), task->src, err);
    return step->call.args ? JINJA_OK : JINJA_ERROR;
}

/* ---- loops ---- */

/* What with_first_found looks in, by the module: as Ansible, any whose name has this in it. */
static const char *kind_of_loop(const struct task *task)
{
    return task->module && strstr(task->module->name, "template") ? "templates" : "files";
}

int step_loop_items(struct scope *scope, const struct task *task, struct arena *a,
                    const struct value **out, struct err *err)
{
    enum jinja_result rc = vars_render(scope, a, task->loop, out, err);

    if (rc == JINJA_OK && task->loop_with)
        rc = vars_with(scope, a, task->loop_with, *out, kind_of_loop(task), out, err);
    if (rc != JINJA_OK)
        return rc;
    if ((*out)->type != VALUE_LIST)
        err_set(err, ERR_INPUT, "loop needs a list, not a %s", value_type_name((*out)->type));
    else if ((*out)->u.list.n > MAX_LOOP_ITEMS)
        err_set(err, ERR_INPUT, "a loop over more than %d items", MAX_LOOP_ITEMS);
    else
        return JINJA_OK;
    return JINJA_ERROR;
}

/* ---- includes ---- */

static int accept_item(struct host *host, struct step *step, struct scope *scope, struct arena *a,
                       struct progress *walk, struct err *err)
{
    struct world nothing;
    struct turn turn = {.include = step->task->include, .item = step->item, .index = step->index};
    bool truth;
    int rc = vars_true(scope, a, &step->task->when, &truth, err);

    if (rc != JINJA_OK || !truth)
        return rc;
    rc = step_fill_call(host, step, scope, a, err);
    if (rc != JINJA_OK)
        return rc;
    world_init(&nothing);
    step->plan = (struct module_plan){.kind = PLAN_OK};
    step->task->module->plan(&step->call, &nothing, &step->plan, err);
    world_release(&nothing);
    if (step->plan.kind == PLAN_FAIL) {
        err_set(err, ERR_INPUT, "%s", step->plan.msg);
        return JINJA_ERROR;
    }
    turn.file = include_find(turn.include, value_get_str(step->plan.result, "include", ""));
    progress_accept(walk, a, &turn);
    return JINJA_OK;
}

int step_accept_include(struct host *host, struct stage *stage, const struct task *task,
                        struct scope *outer, struct arena *a, struct progress *walk,
                        struct err *err)
{
    struct step step = {.task = task, .stage = stage};
    const struct value *items;
    int rc;

    if (!task->loop)
        return accept_item(host, &step, outer, a, walk, err);
    rc = step_loop_items(outer, task, a, &items, err);
    for (size_t i = 0; rc == JINJA_OK && i < items->u.list.n; i++) {
        struct scope *scope = arena_new(a, struct scope);

        *scope = *outer;
        step.item = items->u.list.items[i];
        step.index = i;
        scope_set_item(scope, a, task, step.item, i);
        rc = accept_item(host, &step, scope, a, walk, err);
    }
    return rc;
}

/* ---- results ---- */

static void result_bool(struct arena *a, struct value *result, const char *key, bool b)
{
    value_map_set(a, result, key, value_bool(a, b));
}

static void mark_item(struct step *step)
{
    if (!step->items)
        return;
    value_map_set(step->arena, step->result, "ansible_loop_var",
                  value_str(step->arena, step->task->loop_var));
    value_map_set(step->arena, step->result, step->task->loop_var, (struct value *)step->item);
    if (!step->task->index_var)
        return;
    value_map_set(step->arena, step->result, "ansible_index_var",
                  value_str(step->arena, step->task->index_var));
    value_map_set(step->arena, step->result, step->task->index_var,
                  value_int(step->arena, (int64_t)step->index));
}

static void fail_step(struct step *step, struct err *err)
{
    step->failed = true;
    step->result = value_map(step->arena);
    result_bool(step->arena, step->result, "changed", false);
    result_bool(step->arena, step->result, "failed", true);
    value_map_set(step->arena, step->result, "msg", value_str(step->arena, err->text));
    mark_item(step);
    err_release(err);
}

static void skip_step(struct step *step, const char *key, const char *reason)
{
    step->skipped = true;
    step->result = value_map(step->arena);
    result_bool(step->arena, step->result, "changed", false);
    result_bool(step->arena, step->result, "skipped", true);
    value_map_set(step->arena, step->result, key, value_str(step->arena, reason));
    mark_item(step);
}

/* The last lines of what a failed command printed; else what its status was. */
static const char *failure_text(const struct step *step)
{
    const char *text = step->errout && *step->errout ? step->errout : step->out;

    if (step->plan.kind == PLAN_FAIL)
        return step->plan.msg ? step->plan.msg : "failed";
    if (step->plan.captures)
        return "non-zero return code";
    if (text && *text)
        return arena_strdup(step->arena, text);
    return arena_printf(step->arena, "exit status %d", step->rc);
}

static void take_output(struct step *step)
{
    const char *out = step->ended ? step->out : "", *errout = step->ended ? step->errout : "";
    int rc = step->ended ? step->rc : 0;

    if (step->ended && step->task->module->finish)
        step->task->module->finish(&step->call, &step->plan, rc, out, errout);
    else
        finish_captured(&step->call, &step->plan, rc, out, errout, true);
}

static struct scope result_scope(struct host *host, const struct step *step)
{
    struct scope scope = *(const struct scope *)step->call.data;

    scope.registered = &host->progress.registered;
    if (step->task->registers)
        scope_set(&scope, step->task->registers, step->result);
    return scope;
}

/* changed_when and failed_when. */
static void apply_conditions(struct host *host, struct step *step)
{
    struct scope scope = result_scope(host, step);
    struct err err = ERR_INIT;
    bool not_run = step->check && !step->ended && step->plan.kind != PLAN_OK;

    if (step->task->has_changed_when &&
        vars_true(&scope, step->arena, &step->task->changed_when, &step->changed, &err) !=
            JINJA_OK &&
        !not_run) {
        fail_step(step, &err);
        return;
    }
    err_release(&err);
    result_bool(step->arena, step->result, "changed", step->changed);
    if (!step->task->has_failed_when || not_run)
        return;
    if (vars_true(&scope, step->arena, &step->task->failed_when, &step->failed, &err) != JINJA_OK) {
        fail_step(step, &err);
        return;
    }
    result_bool(step->arena, step->result, "failed", step->failed);
    result_bool(step->arena, step->result, "failed_when_result", step->failed);
}

void step_settle(struct host *host, struct step *step)
{
    struct arena *a = step->arena;
    bool changes = step->plan.kind == PLAN_CHANGE || step->plan.kind == PLAN_OPAQUE;
    bool broke;

    /* A simulation that failed proves nothing then: it is as if it had not run. */
    if (step->check && step->rc != 0 && host->foreseen)
        step->ended = false;
    broke = step->ended && step->rc != 0;
    if (step->plan.captures && changes)
        take_output(step);
    step->result = value_map(a);
    if (step->plan.result && (step->plan.captures || !broke)) /* what was planned is not so */
        step->result = value_merge(a, step->result, step->plan.result);
    step->changed = value_get_bool(step->result, "changed", changes && !broke);
    step->failed = value_get_bool(step->result, "failed", step->plan.kind == PLAN_FAIL) ||
                   (broke && !(step->plan.captures && value_get(step->result, "failed")));
    step->skipped = step->plan.kind == PLAN_SKIP || value_get_bool(step->result, "skipped", false);
    if (step->skipped)
        result_bool(a, step->result, "skipped", true);
    if (step->failed && !value_get(step->result, "msg"))
        value_map_set(a, step->result, "msg", value_str(a, failure_text(step)));
    result_bool(a, step->result, "changed", step->changed);
    result_bool(a, step->result, "failed", step->failed);
    mark_item(step);
    if (!step->skipped)
        apply_conditions(host, step);
}

/* ---- until ---- */

static int64_t number_of(struct scope *scope, struct arena *a, const struct value *v,
                         int64_t otherwise)
{
    struct err err = ERR_INIT;
    const struct value *n;

    if (!v || vars_render(scope, a, v, &n, &err) != JINJA_OK) {
        err_release(&err);
        return otherwise;
    }
    if (value_is_str(n))
        return strtoll(n->u.str.s, NULL, 10);
    return n->type == VALUE_INT ? n->u.i : n->type == VALUE_FLOAT ? (int64_t)n->u.f : otherwise;
}

bool step_wants_retry(struct host *host, struct step *step, int *delay_ms)
{
    const struct task *task = step->task;
    struct arena *a = step->arena;
    struct err err = ERR_INIT;
    struct scope scope;
    int64_t retries, delay;
    bool done;

    if ((task->until.n == 0 && !task->retries) || step->skipped || !step->planned ||
        (step->check && step->plan.kind != PLAN_OK))
        return false;
    scope = result_scope(host, step);
    retries = number_of(&scope, a, task->retries, DEFAULT_RETRIES);
    delay = number_of(&scope, a, task->delay, DEFAULT_DELAY_S);
    done = !step->failed;
    if (task->until.n > 0 && vars_true(&scope, a, &task->until, &done, &err) != JINJA_OK) {
        fail_step(step, &err);
        return false;
    }
    value_map_set(a, step->result, "attempts", value_int(a, host->progress.attempt + 1));
    if (done)
        return false;
    *delay_ms = delay < 0 ? 0 : delay > 86400 ? 86400000 : (int)delay * 1000;
    if (host->progress.attempt < (retries > MAX_RETRIES ? MAX_RETRIES : retries))
        return true;
    if (host->progress.attempt > 0) /* in the end Ansible counts the retries */
        value_map_set(a, step->result, "attempts", value_int(a, host->progress.attempt));
    step->failed = true;
    result_bool(a, step->result, "failed", true);
    return false;
}

/* ---- planning ---- */

static struct scope *new_scope(struct host *host, const struct step *step)
{
    struct scope *scope = arena_new(step->arena, struct scope);

    scope->host = host;
    scope->stage = step->stage;
    scope->task = step->task;
    scope->registered = &host->progress.registered;
    scope->turn = host->progress.turn;
    return scope;
}

static bool flag_of(struct scope *scope, struct arena *a, const struct value *v)
{
    struct err err = ERR_INIT;
    const struct value *rendered;
    bool truth = false;

    if (v && vars_render(scope, a, v, &rendered, &err) == JINJA_OK &&
        (!value_is_str(rendered) || args_bool_text(rendered->u.str.s, &truth) < 0))
        truth = jinja_truth(rendered);
    err_release(&err);
    return truth;
}

/* A name for people: the template's text where it cannot be rendered. */
static const char *text_of(struct scope *scope, struct arena *a, const struct value *v)
{
    struct err err = ERR_INIT;
    const char *text;

    if (vars_text(scope, a, v, &text, &err) == JINJA_OK)
        return text;
    err_release(&err);
    return v->u.str.s;
}

static const char *title_of(struct scope *scope, const struct task *task, struct arena *a)
{
    const char *name;

    if (!task->name)
        return task_title(task, a);
    name = text_of(scope, a, task->name);
    return task->role ? arena_printf(a, "%s : %s", task->role->role->name, name) : name;
}

static struct names render_notify(struct scope *scope, const struct task *task, struct arena *a)
{
    struct names names = {NULL, task->notify.n};

    names.items = arena_alloc(a, (names.n + 1) * sizeof(*names.items));
    for (size_t i = 0; i < names.n; i++) {
        struct value *name = value_str(a, task->notify.items[i]);

        name->src = task->src;
        names.items[i] = text_of(scope, a, name);
    }
    return names;
}

static bool is_environment_name(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

    return len > 0 && name[len] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

static enum jinja_result render_environment(struct scope *scope, struct step *step, struct arena *a,
                                            struct err *err)
{
    const struct value *list;
    enum jinja_result rc = vars_render(scope, a, step->task->environment, &list, err);
    struct str text;

    if (rc != JINJA_OK)
        return rc;
    str_init(&text, STR_MAX_TEXT);
    for (size_t i = 0; rc == JINJA_OK && i < list->u.list.n; i++) {
        const struct value *map = list->u.list.items[i];

        for (size_t k = 0; map->type == VALUE_MAP && k < map->u.map.n; k++) {
            const struct value_entry *entry = &map->u.map.entries[k];
            struct str value;

            if (!is_environment_name(entry->key)) {
                err_set(err, ERR_INPUT, "'%s' cannot be an environment variable", entry->key);
                rc = JINJA_ERROR;
                break;
            }
            str_init(&value, STR_MAX_TEXT);
            jinja_put(entry->value, &value);
            str_printf(&text, "export %s=", entry->key);
            str_put_shell(&text, value.buf);
            str_putc(&text, '\n');
            str_release(&value);
        }
    }
    step->environment = arena_strdup(a, text.buf);
    str_release(&text);
    return rc;
}

/* A loop that cannot be rendered does not matter when the condition is false without it. */
static void give_up_loop(struct step *step, struct scope *scope, struct err *err)
{
    struct err ignored = ERR_INIT;
    bool truth = true;

    if (vars_true(scope, step->arena, &step->task->when, &truth, &ignored) == JINJA_OK && !truth)
        skip_step(step, "skip_reason", "Conditional result was False");
    else
        fail_step(step, err);
    err_release(&ignored);
    err_release(err);
}

/* Sets item, items, first, last. False: the step is settled (failed, or nothing to loop over). The
 * items live as long as the loop, which is longer than a step. */
static bool enter_loop(struct host *host, struct step *step, struct scope *scope)
{
    struct progress *p = &host->progress;
    const struct value *items;
    struct err err = ERR_INIT;

    step->first = step->last = true;
    if (!step->task->loop)
        return true;
    if (!p->items) {
        if (step_loop_items(scope, step->task, step->arena, &items, &err) != JINJA_OK) {
            give_up_loop(step, scope, &err);
            return false;
        }
        if (items->u.list.n == 0) {
            skip_step(step, "skipped_reason", "No items in the list");
            value_map_set(step->arena, step->result, "results", value_list(step->arena));
            return false;
        }
        p->items = value_copy(&host->arena, items);
    }
    step->items = p->items;
    step->item = p->items->u.list.items[p->item];
    step->index = p->item;
    step->earlier_failed = p->item_failed;
    step->first = p->item == 0;
    step->last = p->item + 1 == p->items->u.list.n;
    scope_set_item(scope, step->arena, step->task, step->item, step->index);
    step->label =
        text_of(scope, step->arena, step->task->loop_label ? step->task->loop_label : step->item);
    return true;
}

struct need_check {
    const struct world *world;
    bool unknown;
};

static void check_need(void *ctx, const struct need *need)
{
    struct need_check *check = ctx;

    check->unknown |= !world_knows(check->world, need);
}

/* Is the result wanted before anything else can be planned? */
static bool result_matters(const struct step *step)
{
    const struct task *task = step->task;

    return task->registers || task->has_changed_when || task->has_failed_when || step->notify.n > 0;
}

static void plan_module(struct host *host, struct step *step, struct err *err)
{
    const struct module *module = step->task->module;

    str_init(&step->plan.script, STR_MAX_TEXT);
    str_init(&step->plan.diff, STR_MAX_TEXT);
    step->planned = true;
    if (module->plan(&step->call, &host->world, &step->plan, err) < 0) {
        fail_step(step, err);
        return;
    }
    step->applies = (!step->check || step->plan.simulates) &&
                    (step->plan.kind == PLAN_CHANGE || step->plan.kind == PLAN_OPAQUE);
    step->open = step->task->until.n > 0 || step->task->retries ||
                 (step->applies && step->plan.captures && (step->check || result_matters(step)));
    if (step->applies && !step->check && step->plan.kind == PLAN_OPAQUE)
        world_forget(&host->world);
    else if (step->applies && !step->check && step->plan.moves_unit)
        world_forget_units(&host->world);
    if (!step->open || !step->applies)
        step_settle(host, step);
}

/* The condition, then the arguments, then the module. */
static enum step_state plan_entered(struct host *host, struct step *step, struct scope *scope,
                                    struct err *err)
{
    struct need_check check = {&host->world, false};
    bool truth;
    enum jinja_result rc = vars_true(scope, step->arena, &step->task->when, &truth, err);
    int needs = 0;

    if (rc == JINJA_OK && !truth) {
        skip_step(step, "skip_reason", "Conditional result was False");
        return STEP_READY;
    }
    if (rc == JINJA_OK && step->task->environment)
        rc = render_environment(scope, step, step->arena, err);
    if (rc == JINJA_OK)
        rc = (enum jinja_result)step_fill_call(host, step, scope, step->arena, err);
    if (rc == JINJA_OK && step->task->module->needs)
        needs = step->task->module->needs(&step->call, check_need, &check, err);
    if (rc == JINJA_PENDING || needs == 1)
        err_set(err, ERR_FAILED, "uses a value that is not known here");
    if (rc != JINJA_OK || needs != 0) {
        fail_step(step, err);
        return STEP_READY;
    }
    if (check.unknown)
        return STEP_UNKNOWN;
    plan_module(host, step, err);
    return STEP_READY;
}

enum step_state step_plan(struct host *host, struct stage *stage, const struct task *task,
                          bool is_handler, struct step *step)
{
    enum step_state state = STEP_READY;
    struct err err = ERR_INIT;
    struct scope *scope;

    *step = (struct step){.task = task, .stage = stage, .is_handler = is_handler};
    step->arena = xcalloc(1, sizeof(*step->arena));
    arena_init(step->arena);
    scope = new_scope(host, step);
    step->fate = progress_fate(&host->progress, stage);
    step->check = choose(task->check_mode, host->run->options->check);
    step->title = title_of(scope, task, step->arena);
    step->no_log = flag_of(scope, step->arena, task->no_log);
    step->notify = render_notify(scope, task, step->arena);
    if (enter_loop(host, step, scope))
        state = plan_entered(host, step, scope, &err);
    step->ignore_errors = flag_of(scope, step->arena, task->ignore_errors);
    err_release(&err);
    return state;
}

const char *step_summary(const struct step *step, struct arena *a)
{
    static const char *const keys[] = {"dest", "path", "name", "unit", "url", "host", "msg"};
    const char *subject = step->call.free_form, *msg = step->plan.msg;
    const char *module = step->task->module->name;

    if (step->no_log)
        return arena_printf(a, "%s (no_log)", module);
    for (size_t i = 0; !subject && step->call.args && i < ARRAY_LEN(keys); i++)
        subject = value_get_str(step->call.args, keys[i], NULL);
    if (!subject)
        subject = step->label ? step->label : "";
    subject = arena_strndup(a, subject, strcspn(subject, "\n"));
    return arena_printf(a, "%s%s%.*s%s%s", module, *subject ? " " : "", SUMMARY_MAX, subject,
                        msg && *msg ? ": " : "", msg ? msg : "");
}

/* ---- the end of a step ---- */

void step_release(struct step *step)
{
    if (step->planned) {
        str_release(&step->plan.script);
        str_release(&step->plan.diff);
    }
    arena_release(step->arena);
    free(step->arena);
    step->arena = NULL;
}

/* ---- gathering what later steps need ---- */

struct gathering {
    struct host *host;
    struct probe *probe;
    struct arena arena;    /* of what is rendered on the way */
    struct map pending;    /* names that get their value later */
    struct map registered; /* what is known now, and set_facts that can be told already */
    struct err *err;
    bool failed;
};

static void gather_need(void *ctx, const struct need *need)
{
    struct gathering *g = ctx;

    if (g->failed || world_knows(&g->host->world, need))
        return;
    g->failed = probe_add(g->probe, need, g->err) < 0;
}

/* set_fact is worked out now: what follows may need its variables to know what to ask for. */
static bool tell_facts(struct gathering *g, struct step *step)
{
    const struct value *facts;
    struct err err = ERR_INIT;
    bool told = false;

    str_init(&step->plan.script, STR_MAX_TEXT);
    str_init(&step->plan.diff, STR_MAX_TEXT);
    if (step->task->module->plan(&step->call, &g->host->world, &step->plan, &err) == 0 &&
        step->plan.result) {
        facts = value_get(step->plan.result, "ansible_facts");
        for (size_t i = 0; facts && facts->type == VALUE_MAP && i < facts->u.map.n; i++) {
            map_set(&g->registered, facts->u.map.entries[i].key, facts->u.map.entries[i].value);
            map_del(&g->pending, facts->u.map.entries[i].key);
        }
        told = facts != NULL;
    }
    str_release(&step->plan.script);
    str_release(&step->plan.diff);
    err_release(&err);
    return told;
}

/* Whatever cannot be told yet is left out. True: the task's facts are known. */
static bool gather_item(struct gathering *g, struct step *step, struct scope *scope)
{
    struct err err = ERR_INIT;
    enum jinja_result when;
    int rc;
    bool truth = true, told = false;
    int needs = 0;

    when = vars_true(scope, &g->arena, &step->task->when, &truth, &err);
    err_release(&err);
    if (when == JINJA_ERROR || (when == JINJA_OK && !truth))
        return false;
    rc = step_fill_call(g->host, step, scope, &g->arena, &err);
    if (rc == JINJA_OK && step->task->module->needs)
        needs = step->task->module->needs(&step->call, gather_need, g, &err);
    if (rc == JINJA_OK && needs == 0 && when == JINJA_OK && step->task->module->any_args)
        told = tell_facts(g, step);
    err_release(&err);
    return told;
}

static bool gather_items(struct gathering *g, struct step *step, const struct scope *outer,
                         size_t from)
{
    struct scope all = *outer;
    const struct value *items = g->host->progress.items;
    struct err err = ERR_INIT;

    if ((from == 0 || !items) &&
        step_loop_items(&all, step->task, &g->arena, &items, &err) != JINJA_OK) {
        err_release(&err);
        return false;
    }
    for (size_t i = from; i < items->u.list.n && !g->failed; i++) {
        struct scope *scope = arena_new(&g->arena, struct scope);

        *scope = *outer;
        scope_set_item(scope, &g->arena, step->task, items->u.list.items[i], i);
        gather_item(g, step, scope);
    }
    return false;
}

/* from: the first item, where the loop began already; turn: of the include it stands in */
static void gather_task(struct gathering *g, struct stage *stage, const struct task *task,
                        const struct turn *turn, size_t from)
{
    struct step step = {.task = task, .stage = stage};
    struct scope *scope = arena_new(&g->arena, struct scope);
    bool told;

    *scope = (struct scope){.host = g->host, .stage = stage, .task = task, .turn = turn};
    scope->registered = &g->registered;
    scope->pending = &g->pending;
    step.check = choose(task->check_mode, g->host->run->options->check);
    told = task->loop ? gather_items(g, &step, scope, from) : gather_item(g, &step, scope);
    if (task->registers)
        map_set(&g->pending, task->registers, g);
    for (size_t i = 0; !told && task->module->any_args && task->args && i < task->args->u.map.n;
         i++)
        map_set(&g->pending, task->args->u.map.entries[i].key, g);
}

/* Into the files that an include will name, as far as that is known. */
static void gather_include(struct gathering *g, struct stage *stage, const struct task *task,
                           struct progress *walk)
{
    struct scope scope = {.host = g->host, .stage = stage, .task = task, .turn = walk->turn};
    struct err err = ERR_INIT;

    scope.registered = &g->registered;
    scope.pending = &g->pending;
    walk->accepted = NULL;
    if (step_accept_include(g->host, stage, task, &scope, &g->arena, walk, &err) != JINJA_OK)
        walk->accepted = NULL;
    err_release(&err);
    progress_enter(walk, &g->arena, task->include);
}

/* walk goes where the host will go when nothing fails. What is not looked at is asked for when it
 * is the host's turn. */
static void gather_stage(struct gathering *g, struct stage *stage, struct progress *walk)
{
    const struct play *play = stage->play;
    size_t item = walk->item, n = 0;
    const struct task *task;
    bool is_handler;

    walk->handler = 0;
    memset(walk->notified, 0, walk->n_handlers * sizeof(*walk->notified));
    while (!g->failed && n++ < MAX_GATHERED &&
           (task = progress_task(walk, stage, play->tasks.n, &is_handler))) {
        if (task->include) {
            gather_include(g, stage, task, walk);
        } else {
            gather_task(g, stage, task, walk->turn, item);
            walk->task++;
        }
        item = 0;
    }
    for (size_t i = 0; i < play->handlers.n && !g->failed; i++)
        if (play->handlers.items[i].kind == TASK_MODULE)
            gather_task(g, stage, &play->handlers.items[i], NULL, 0);
}

/* A play that the host has not begun. */
static void gather_later(struct gathering *g, struct stage *stage)
{
    struct progress walk = {.n_handlers = stage->play->handlers.n,
                            .n_blocks = stage->play->blocks.n};

    walk.notified = xcalloc(walk.n_handlers + 1, sizeof(*walk.notified));
    walk.failing = xcalloc(walk.n_blocks + 1, sizeof(*walk.failing));
    gather_stage(g, stage, &walk);
    progress_release(&walk);
}

static bool stage_has(const struct stage *stage, const struct host *host)
{
    for (size_t i = 0; i < stage->n; i++)
        if (stage->hosts[i] == host)
            return true;
    return false;
}

int step_gather(struct host *host, struct stage *stage, struct probe *probe, struct err *err)
{
    struct run *run = host->run;
    struct gathering g = {.host = host, .probe = probe, .err = err};
    struct progress now;
    size_t next = stage ? (size_t)(stage - run->stages) + 1 : 0;

    progress_copy(&now, &host->progress);
    arena_init(&g.arena);
    map_init(&g.pending);
    g.registered = now.registered;
    for (size_t i = 0; i < host->batch.n; i++)
        if (host->batch.items[i].open && host->batch.items[i].task->registers)
            map_set(&g.pending, host->batch.items[i].task->registers, &g);
    if (stage)
        gather_stage(&g, stage, &now);
    for (size_t i = next; i < run->n_stages; i++)
        if (stage_has(&run->stages[i], host))
            gather_later(&g, &run->stages[i]);
    now.registered = g.registered;
    progress_release(&now);
    map_release(&g.pending);
    arena_release(&g.arena);
    return g.failed ? err_wrap(err, "%s", host->name) : 0;
}
