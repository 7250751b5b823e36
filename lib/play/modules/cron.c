/*
 * cron.c - module cron: jobs and variables of a user's crontab, or of a file in /etc/cron.d. How a
 * job is found and where it goes is as in Ansible's cron.py: a line "#Ansible: NAME" stands before
 * it.
 */
#include "lib/base/hash.h"
#include "lib/play/diff.h"
#include "lib/play/lines.h"
#include "lib/play/probe.h"

static const struct module_arg args[] = {
    {"name", ARG_STR, true, NULL, NULL, NULL, "The job; with env, the variable"},
    {"job", ARG_STR, false, NULL, NULL, "value", "The command, or the variable's value"},
    {"user", ARG_STR, false, NULL, NULL, NULL, "Whose crontab; default: of who runs the task"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it is there"},
    {"cron_file", ARG_STR, false, NULL, NULL, NULL,
     "Instead of a crontab: a file, in /etc/cron.d unless it is a whole path; needs user"},
    {"minute", ARG_STR, false, "*", NULL, NULL, "0-59, */2, ..."},
    {"hour", ARG_STR, false, "*", NULL, NULL, "0-23"},
    {"day", ARG_STR, false, "*", NULL, "dom", "1-31"},
    {"month", ARG_STR, false, "*", NULL, NULL, "1-12 or JAN-DEC"},
    {"weekday", ARG_STR, false, "*", NULL, "dow", "0-6 or SUN-SAT"},
    {"special_time", ARG_STR, false, NULL, "annually|daily|hourly|monthly|reboot|weekly|yearly",
     NULL, "Instead of the five"},
    {"disabled", ARG_BOOL, false, "no", NULL, NULL, "The job is commented out"},
    {"env", ARG_BOOL, false, "no", NULL, NULL, "A variable, not a job"},
    {"insertafter", ARG_STR, false, NULL, NULL, NULL, "A new variable goes after this one"},
    {"backup", ARG_BOOL, false, "no", NULL, NULL,
     "Keep what was there in a file of /tmp, backup_file; only before a change"},
    {"insertbefore", ARG_STR, false, NULL, NULL, NULL, "A new variable goes before this one"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define MARK       "#Ansible: "
#define NOT_FOUND  SIZE_MAX
#define CRON_FILES "/etc/cron.d/"

struct cron {
    const char *name, *user, *file; /* user "": who runs the task; file NULL: a crontab */
    const char *line;               /* the job or the variable, as it is to be */
    const char *mark;               /* the job's line before it */
    const char *after, *before;
    bool absent, env;
};

static const char *const times[] = {"minute", "hour", "day", "month", "weekday"};

/* Nothing may bring a line of its own. */
static int check_lines(struct module_call *call, struct err *err)
{
    for (const struct module_arg *arg = args; arg->name; arg++) {
        const char *text = arg->type == ARG_STR ? value_get_str(call->args, arg->name, NULL) : NULL;

        if (text && !str_eq(arg->name, "job") && strpbrk(text, "\r\n"))
            return err_set(err, ERR_INPUT, "cron: %s must be one line", arg->name);
    }
    return 0;
}

static int check_times(struct module_call *call, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if (value_get(call->args, "special_time") &&
            !str_eq(value_get_str(call->args, times[i], ""), "*"))
            return err_set(err, ERR_INPUT,
                           "You cannot combine special_time with any of the time "
                           "or day/date parameters.");
    return 0;
}

static int check(struct module_call *call, const struct cron *cron, struct err *err)
{
    if (check_lines(call, err) < 0 || check_times(call, err) < 0)
        return -1;
    if (!*cron->name)
        return err_set(err, ERR_INPUT, "cron: name must not be empty");
    if (*cron->user == '-' || strpbrk(cron->user, " :"))
        return err_set(err, ERR_INPUT, "'%s' is not the name of a user", cron->user);
    if (str_eq(cron->file, "/etc/crontab"))
        return err_set(err, ERR_INPUT,
                       "Will not manage /etc/crontab via cron_file, see documentation.");
    if (cron->after && cron->before)
        return err_set(err, ERR_INPUT,
                       "parameters are mutually exclusive: insertafter|"
                       "insertbefore");
    if (cron->env && strchr(cron->name, ' '))
        return err_set(err, ERR_INPUT, "Invalid name for environment variable");
    if (cron->absent)
        return 0;
    if (cron->file && !*cron->user)
        return err_set(err, ERR_INPUT,
                       "To use cron_file=... parameter you must specify user=... as well");
    if (!value_get(call->args, "job"))
        return err_set(err, ERR_INPUT,
                       "You must specify 'job' to install a new cron job or variable");
    if ((cron->after || cron->before) && !cron->env)
        return err_set(err, ERR_INPUT,
                       "Insertafter and insertbefore parameters are valid only with env=yes");
    return 0;
}

/* "0 4 * * * COMMAND"; in a file with the user before the command. */
static const char *job_line(struct module_call *call, const struct cron *cron, const char *job)
{
    const char *special = value_get_str(call->args, "special_time", NULL), *kept;
    struct str line;

    str_init(&line, STR_MAX_TEXT);
    str_puts(&line, value_get_bool(call->args, "disabled", false) ? "#" : "");
    if (special)
        str_printf(&line, "@%s ", special);
    for (size_t i = 0; !special && i < ARRAY_LEN(times); i++)
        str_printf(&line, "%s ", value_get_str(call->args, times[i], "*"));
    str_printf(&line, "%s%s%s", cron->file ? cron->user : "", cron->file ? " " : "", job);
    kept = arena_strdup(call->arena, line.buf);
    str_release(&line);
    return kept;
}

static int make_line(struct module_call *call, struct cron *cron, struct err *err)
{
    const char *job = value_get_str(call->args, "job", "");
    size_t len;

    if (!cron->env) /* newlines around it are none of it */
        job += strspn(job, "\r\n");
    len = strlen(job);
    while (!cron->env && len > 0 && strchr("\r\n", job[len - 1]))
        len--;
    job = arena_strndup(call->arena, job, len);
    if (strpbrk(job, "\r\n"))
        return err_set(err, ERR_INPUT, "Job should not contain line breaks");
    cron->line = cron->env ? arena_printf(call->arena, "%s=\"%s\"", cron->name, job)
                           : job_line(call, cron, job);
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct cron *cron = arena_new(call->arena, struct cron);
    const char *file = value_get_str(call->args, "cron_file", NULL);
    struct need crontab = {.kind = NEED_CRONTAB};

    cron->name = value_get_str(call->args, "name", "");
    cron->user = crontab.name = value_get_str(call->args, "user", "");
    cron->after = value_get_str(call->args, "insertafter", NULL);
    cron->before = value_get_str(call->args, "insertbefore", NULL);
    cron->absent = str_eq(value_get_str(call->args, "state", ""), "absent");
    cron->env = value_get_bool(call->args, "env", false);
    cron->mark = arena_printf(call->arena, MARK "%s", cron->name);
    if (file && *file)
        cron->file = file_clean_path(
            call, *file == '/' ? file : arena_printf(call->arena, CRON_FILES "%s", file));
    if (check(call, cron, err) < 0 || make_line(call, cron, err) < 0)
        return -1;
    call->own = cron;
    if (cron->file)
        file_content_needs(call, cron->file, NULL, true, false, add, ctx);
    else
        add(ctx, &crontab);
    return 0;
}

static bool is(const struct lines *lines, size_t at, const char *text)
{
    return str_eq(lines_bare(lines, at), text);
}

static bool is_mark(const struct lines *lines, size_t at)
{
    return str_starts(lines->items[at], MARK);
}

/* The line after the job's mark. A mark is followed by a job: what follows is no mark. */
static size_t find_marked(const struct cron *cron, const struct lines *lines)
{
    for (size_t i = 0; i + 1 < lines->n; i++) {
        if (!is_mark(lines, i))
            continue;
        if (is(lines, i, cron->mark))
            return i + 1;
        i++;
    }
    return NOT_FOUND;
}

/* The job without a mark, as somebody else wrote it: it gets one. */
static bool adopt(const struct cron *cron, struct lines *lines)
{
    for (size_t i = 0; i < lines->n; i++) {
        if (!is(lines, i, cron->line))
            continue;
        if (!is_mark(lines, i > 0 ? i - 1 : lines->n - 1)) {
            lines_insert(lines, i, cron->mark);
            return true;
        }
        if (i > 0 && is(lines, i - 1, MARK "None")) {
            lines_replace(lines, i - 1, cron->mark);
            return true;
        }
    }
    return false;
}

/* Every job of that name becomes the wanted one, or goes with its mark. */
static void update_jobs(const struct cron *cron, struct lines *lines)
{
    size_t i = 0;

    while (i < lines->n) {
        bool last = i + 1 == lines->n;

        if (!is(lines, i, cron->mark)) {
            i++;
        } else if (last || cron->absent) {
            lines_remove(lines, i, last ? 1 : 2);
        } else {
            lines_replace(lines, i + 1, cron->line);
            i += 2;
        }
    }
}

static bool edit_job(const struct cron *cron, struct lines *lines)
{
    size_t at = find_marked(cron, lines);

    if (cron->absent) {
        if (at != NOT_FOUND)
            update_jobs(cron, lines);
        return at != NOT_FOUND;
    }
    if (at != NOT_FOUND && is(lines, at, cron->line))
        return false;
    if (at != NOT_FOUND || adopt(cron, lines)) {
        update_jobs(cron, lines);
        return true;
    }
    lines_end_last(lines);
    lines_insert(lines, lines->n, cron->mark);
    lines_insert(lines, lines->n, cron->line);
    return true;
}

static size_t find_env(const struct lines *lines, const char *name, size_t from)
{
    size_t len = strlen(name);

    for (size_t i = from; i < lines->n; i++)
        if (strncmp(lines->items[i], name, len) == 0 && lines->items[i][len] == '=')
            return i;
    return NOT_FOUND;
}

/* 1: changed, 0: not, -1: there is no such variable to go beside. */
static int edit_env(const struct cron *cron, struct lines *lines)
{
    const char *beside = cron->after ? cron->after : cron->before;
    size_t at = find_env(lines, cron->name, 0);

    if (at == NOT_FOUND && !cron->absent) {
        at = beside ? find_env(lines, beside, 0) : 0;
        if (at == NOT_FOUND)
            return -1;
        if (cron->after)
            at++;
        lines_end_last(lines);
        lines_insert(lines, at, cron->line);
        return 1;
    }
    if (at == NOT_FOUND || (!cron->absent && is(lines, at, cron->line)))
        return 0;
    for (; at != NOT_FOUND; at = find_env(lines, cron->name, at)) {
        if (cron->absent)
            lines_remove(lines, at, 1);
        else
            lines_replace(lines, at++, cron->line);
    }
    return 1;
}

/* What crontab(1) of some systems writes above a user's lines, and reads back. */
static void drop_header(struct lines *lines)
{
    size_t at = 0;

    for (int i = 0; i < 3 && at < lines->n; i++) {
        const char *line = lines->items[at];

        if (str_starts(line, "# DO NOT EDIT THIS FILE - edit the master and reinstall.") ||
            (str_starts(line, "# (/tmp/") && strstr(line, "installed on")) ||
            (str_starts(line, "# (") && strstr(line, "version")))
            lines_remove(lines, at, 1);
        else
            at++;
    }
}

static const char *text_of(struct module_call *call, const struct lines *lines, size_t *len)
{
    char *text = lines_join(lines, call->arena, len);

    while (*len > 0 && strchr("\r\n", text[*len - 1]))
        text[--*len] = '\0';
    if (*len == 0)
        return "";
    ++*len;
    return arena_printf(call->arena, "%s\n", text);
}

static void plan_crontab(struct module_call *call, struct world *world, const struct cron *cron,
                         const char *old, const char *text, size_t len, struct module_plan *out)
{
    const char *title =
        *cron->user ? arena_printf(call->arena, "crontab for user \"%s\"", cron->user) : "crontab";

    if (call->diff)
        diff_unified(title, old, strlen(old), text, len, &out->diff);
    str_puts(&out->script, "printf %s '");
    str_put_base64(&out->script, text, len);
    str_puts(&out->script, "' | base64 -d | {\n");
    crontab_put_command(cron->user, "-", &out->script);
    str_puts(&out->script, "\n}");
    world_set(world, NEED_CRONTAB, arena_strdup(&world->arena, cron->user),
              arena_strdup(&world->arena, text));
    out->kind = PLAN_CHANGE;
}

static int plan_file(struct module_call *call, struct world *world, const struct cron *cron,
                     const struct lines *lines, struct module_plan *out, struct err *err)
{
    struct file_content want = {.path = cron->file};

    want.data = text_of(call, lines, &want.len);
    if (!cron->absent || cron->env || want.data[strspn(want.data, " \t\r\n\f\v")] != '\0')
        return file_content_plan(call, world, &want, out, err);
    file_remove_plan(call, world, cron->file, out);
    plan_say(call, out, "%s removed", cron->file);
    return 0;
}

/* What was there, in a new file: mode 0600, and nobody else's. */
static void keep_old(struct module_call *call, const char *old, struct module_plan *out)
{
    const char *steps = arena_strdup(call->arena, out->script.buf), *path;
    char sum[SHA256_HEX_SIZE];

    if (!value_get_bool(call->args, "backup", false) || out->kind != PLAN_CHANGE)
        return;
    path = arena_printf(call->arena, "%s %s %lld", old, steps, (long long)call->now_s);
    sha256_hex(path, strlen(path), sum);
    path = arena_printf(call->arena, "/tmp/crontab%.8s", sum);
    str_clear(&out->script);
    str_puts(&out->script, "printf %s '");
    str_put_base64(&out->script, old, strlen(old));
    str_printf(&out->script, "' | base64 -d | (umask 077 && set -C && cat >%s) &&\n%s", path,
               steps);
    plan_result_str(call, out, "backup_file", path);
}

static void results(struct module_call *call, const struct lines *lines, struct module_plan *out)
{
    struct arena *a = call->arena;
    struct value *jobs = value_list(a), *envs = value_list(a);

    for (size_t i = 0; i < lines->n; i++) {
        const char *line = lines_bare(lines, i);
        size_t len = strcspn(line, "= \t");

        if (is_mark(lines, i))
            value_list_add(a, jobs, value_str(a, line + strlen(MARK)));
        if (len > 0 && line[len] == '=')
            value_list_add(a, envs, value_strn(a, line, len));
    }
    value_map_set(a, plan_result(call, out), "jobs", jobs);
    value_map_set(a, out->result, "envs", envs);
    plan_result_str(call, out, "cron_file", value_get_str(call->args, "cron_file", NULL));
}

static int read_lines(struct module_call *call, struct world *world, const struct cron *cron,
                      const char **text, struct lines *lines, struct err *err)
{
    size_t len;

    if (cron->file) {
        if (lines_of_file(world, cron->file, text, &len, err) < 0)
            return -1;
        *text = *text ? *text : "";
    } else {
        *text = world_crontab(world, cron->user);
    }
    len = strlen(*text);
    if (len > WORLD_MAX_CONTENT)
        return err_set(err, ERR_FAILED, "the crontab is larger than %d bytes: too large to edit",
                       WORLD_MAX_CONTENT);
    lines_split(lines, call->arena, *text, len);
    if (!cron->file)
        drop_header(lines);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct cron *cron = call->own;
    struct lines lines = {0};
    const char *old, *text;
    size_t len;
    int changed, rc = 0;

    out->kind = PLAN_OK;
    if (read_lines(call, world, cron, &old, &lines, err) < 0)
        return -1;
    changed = cron->env ? edit_env(cron, &lines) : edit_job(cron, &lines);
    if (changed == 0) /* cron ignores a last line without a newline */
        changed = *old && !str_ends(old, "\n");
    if (changed < 0)
        plan_fail(call, out, "Variable named '%s' not found.",
                  cron->after ? cron->after : cron->before);
    else if (changed && cron->file)
        rc = plan_file(call, world, cron, &lines, out, err);
    else if (changed) {
        plan_say(call, out, "%s %s", cron->env ? "variable" : "job",
                 cron->absent ? "removed" : "set");
        text = text_of(call, &lines, &len);
        plan_crontab(call, world, cron, old, text, len, out);
    }
    if (rc == 0)
        keep_old(call, old, out);
    if (out->kind != PLAN_FAIL)
        results(call, &lines, out);
    lines_release(&lines);
    return rc;
}

const struct module module_cron = {
    .name = "cron",
    .help = "Keeps jobs and variables of crontabs and of files in /etc/cron.d.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
