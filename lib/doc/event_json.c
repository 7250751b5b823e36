/* event_json.c - events as JSON, one object a line. */
#include "lib/doc/event_json.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/doc/json.h"

enum field_type { FIELD_TEXT, FIELD_INT, FIELD_MS };

static const struct field {
    const char *name;
    enum field_type type;
    size_t place; /* in struct event */
    const char *help;
} fields[] = {
    {"stage", FIELD_TEXT, offsetof(struct event, stage), "of the run: hosts, converge, ready, ..."},
    {"host", FIELD_TEXT, offsetof(struct event, host),
     "its name; of a resource that a provider makes: KIND.NAME"},
    {"task", FIELD_TEXT, offsetof(struct event, task), "its name, with its role: ROLE : NAME"},
    {"text", FIELD_TEXT, offsetof(struct event, text), "one line for people"},
    {"detail", FIELD_TEXT, offsetof(struct event, detail),
     "more lines: a diff, or the end of what a failed task said"},
    {"where", FIELD_TEXT, offsetof(struct event, where), "the task's place, FILE:LINE"},
    {"done", FIELD_INT, offsetof(struct event, done),
     "steps of this host that lie behind it, of a resource: changes done in all; of `host_end`: "
     "tasks that changed something"},
    {"total", FIELD_INT, offsetof(struct event, total),
     "steps of this host, of a resource: changes in all; of `host_end`: tasks that were looked at"},
    {"failed", FIELD_INT, offsetof(struct event, failed), "1: it failed"},
    {"trips", FIELD_INT, offsetof(struct event, trips), "scripts that the host got"},
    {"elapsed_ms", FIELD_MS, offsetof(struct event, elapsed_ms), "milliseconds that it took"},
    {"connect_ms", FIELD_MS, offsetof(struct event, connect_ms), "of these: logging in"},
    {"trips_ms", FIELD_MS, offsetof(struct event, trips_ms), "of these: scripts on their way"},
};

static const struct kind {
    const char *name;
    const char *fields; /* that it may have */
    const char *help;
} kinds[] = {
    [EVENT_RUN] = {"run", "text", "a command begins; `text` is its name"},
    [EVENT_RUN_END] = {"run_end", "failed elapsed_ms", "it has ended; always the last line"},
    [EVENT_STAGE] = {"stage", "stage text", "a stage begins"},
    [EVENT_STAGE_END] = {"stage_end", "stage text elapsed_ms",
                         "it has ended well; a stage that fails has no end"},
    [EVENT_STEP] = {"step", "stage text", "where the stage as a whole is: the play that begins"},
    [EVENT_HOST] = {"host", "stage host task text done total", "what a host is doing now"},
    [EVENT_CHANGED] = {"changed", "stage host task text detail where done total elapsed_ms",
                       "a task changed something on a host"},
    [EVENT_OK] = {"ok", "host task text where elapsed_ms", "a task found all as it should be"},
    [EVENT_SKIPPED] = {"skipped", "host task text where done total elapsed_ms",
                       "a task was not for this host, or its turn did not come"},
    [EVENT_FAILED] = {"failed", "stage host task text detail where done total failed elapsed_ms",
                      "a task, or all of a host, failed"},
    [EVENT_HOST_END] = {"host_end",
                        "stage host done total failed trips elapsed_ms connect_ms trips_ms",
                        "a host has nothing left to do"},
    [EVENT_NOTE] = {"note", "host task text detail where elapsed_ms", "a line worth reading"},
};

struct event_json {
    struct event_sink sink; /* first: the sink is cast back */
    struct event_sink *next;
    pthread_mutex_t lock;
    int fd;
};

/* ---- writing ---- */

static struct value *redacted(const char *text, struct arena *a)
{
    struct value *v;
    struct str s;

    str_init(&s, STR_MAX_TEXT);
    str_puts(&s, text);
    log_redact(&s); /* before JSON escapes what a secret may hold */
    v = value_strn(a, s.buf, s.len);
    str_release(&s);
    return v;
}

/* NULL: nothing, or 0. */
static struct value *field_value(const struct event *e, const struct field *field, struct arena *a)
{
    const char *place = (const char *)e + field->place;
    const char *text = field->type == FIELD_TEXT ? *(const char *const *)place : NULL;
    int64_t number = field->type == FIELD_INT  ? *(const int *)place
                     : field->type == FIELD_MS ? *(const int64_t *)place
                                               : 0;

    if (text)
        return redacted(text, a);
    return number ? value_int(a, number) : NULL;
}

static struct value *time_value(int64_t real_ms, struct arena *a)
{
    char time[32];

    clock_iso8601(real_ms, time);
    time[strcspn(time, "Z")] = '\0';
    return value_strf(a, "%s.%03dZ", time, (int)(real_ms % 1000));
}

static struct value *to_value(const struct event *e, int64_t real_ms, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "time", time_value(real_ms, a));
    value_map_set(a, v, "kind", value_str(a, kinds[e->kind].name));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct value *field = field_value(e, &fields[i], a);

        if (field)
            value_map_set(a, v, fields[i].name, field);
    }
    return v;
}

/* Whoever reads has gone, or the disk is full: the run does not end for that. */
static void write_line(int fd, const struct str *line)
{
    size_t done = 0;

    while (done < line->len) {
        ssize_t n = write(fd, line->buf + done, line->len - done);

        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

void event_json_put(struct event_json *j, const struct event *e)
{
    struct arena arena = ARENA_INIT;
    struct str line;

    str_init(&line, STR_MAX_TEXT);
    json_write(to_value(e, clock_real_ms(), &arena), JSON_TIGHT, &line);
    str_putc(&line, '\n');
    pthread_mutex_lock(&j->lock);
    write_line(j->fd, &line);
    pthread_mutex_unlock(&j->lock);
    str_release(&line);
    arena_release(&arena);
}

static void take_event(struct event_sink *sink, const struct event *e)
{
    struct event_json *j = (struct event_json *)sink;

    event_json_put(j, e);
    event_send(j->next, e);
}

struct event_json *event_json_new(int fd, struct event_sink *next)
{
    struct event_json *j = xcalloc(1, sizeof(*j));

    *j = (struct event_json){.sink = {take_event}, .next = next, .fd = fd};
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

struct event_sink *event_json_sink(struct event_json *j)
{
    return &j->sink;
}

void event_json_free(struct event_json *j)
{
    if (!j)
        return;
    close(j->fd);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

/* ---- reading ---- */

static int read_time(const char *text, int64_t *real_ms, struct err *err)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    int ms, used = 0;

    if (!rest || sscanf(rest, ".%3dZ%n", &ms, &used) != 1 || !used || rest[used])
        return err_set(err, ERR_INPUT, "an event's time is '%s'", text);
    *real_ms = (int64_t)timegm(&parts) * 1000 + ms;
    return 0;
}

static int read_kind(const char *name, enum event_kind *kind, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(kinds[i].name, name)) {
            *kind = (enum event_kind)i;
            return 0;
        }
    return err_set(err, ERR_INPUT, "there is no event of kind '%s'", name);
}

static void read_field(const struct value *v, const struct field *field, struct event *e)
{
    char *place = (char *)e + field->place;

    if (field->type == FIELD_TEXT)
        *(const char **)place = value_get_str(v, field->name, NULL);
    else if (field->type == FIELD_INT)
        *(int *)place = (int)value_get_int(v, field->name, 0);
    else
        *(int64_t *)place = value_get_int(v, field->name, 0);
}

int event_json_read(struct arena *a, const char *line, size_t len, struct event *e,
                    int64_t *real_ms, struct err *err)
{
    const struct value *v = json_parse(a, "event", line, len, err);

    if (!v)
        return -1;
    *e = (struct event){0};
    if (read_kind(value_get_str(v, "kind", ""), &e->kind, err) < 0 ||
        read_time(value_get_str(v, "time", ""), real_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        read_field(v, &fields[i], e);
    return 0;
}

/* ---- documentation ---- */

static const char docs_head[] =
    "# Events\n\n"
    "Made from the tables in `lib/doc/event_json.c` by `pgha-deploy docs events`; a test holds "
    "this page against it.\n\n"
    "`--events FILE` of every command writes what happens as JSON, one object a line, as it "
    "happens; `--events /dev/fd/3 3>&1` gives it to a pipe. Each run that changes a cluster "
    "leaves the same lines in the state folder, `.pgha/CLUSTER/log/TIME.jsonl`; the last 20 runs "
    "are kept. Passwords and keys are redacted in both.\n\n"
    "Names do not change. Kinds and fields may be added: a program passes over those that it does "
    "not know. Every object has `time` (ISO 8601, UTC, milliseconds) and `kind`; of the other "
    "fields what is nothing or 0 is left out.\n\n";

static const char docs_example[] =
    "\n## Example\n\n"
    "    {\"time\":\"2026-01-31T12:00:00.104Z\",\"kind\":\"run\",\"text\":\"up\"}\n"
    "    {\"time\":\"2026-01-31T12:00:00.112Z\",\"kind\":\"stage\",\"stage\":\"converge\","
    "\"text\":\"packages, files, services\"}\n"
    "    {\"time\":\"2026-01-31T12:00:00.391Z\",\"kind\":\"step\",\"text\":\"Database hosts\"}\n"
    "    {\"time\":\"2026-01-31T12:00:00.402Z\",\"kind\":\"host\",\"host\":\"db1\","
    "\"task\":\"patroni : Configuration\",\"text\":\"template /etc/patroni/patroni.yml: content\","
    "\"done\":31,\"total\":88}\n"
    "    {\"time\":\"2026-01-31T12:00:00.460Z\",\"kind\":\"changed\",\"host\":\"db1\","
    "\"task\":\"patroni : Configuration\",\"text\":\"template /etc/patroni/patroni.yml: content\","
    "\"where\":\"playbooks/roles/patroni/tasks/main.yml:12\",\"elapsed_ms\":21}\n"
    "    {\"time\":\"2026-01-31T12:00:01.022Z\",\"kind\":\"host_end\",\"host\":\"db1\",\"done\":1,"
    "\"total\":88,\"trips\":2,\"elapsed_ms\":910,\"connect_ms\":96,\"trips_ms\":410}\n"
    "    {\"time\":\"2026-01-31T12:00:01.031Z\",\"kind\":\"stage_end\",\"stage\":\"converge\","
    "\"elapsed_ms\":919}\n"
    "    {\"time\":\"2026-01-31T12:00:02.040Z\",\"kind\":\"run_end\",\"elapsed_ms\":1936}\n\n"
    "What failed, while it goes on:\n\n"
    "    pgha-deploy up --yes --events /dev/fd/3 3>&1 >up.out 2>up.err |\n"
    "        jq --unbuffered -r 'select(.kind == \"failed\") | \"\\(.host): \\(.text)\"'\n\n"
    "How long a task took (`elapsed_ms` of changed, ok and failed) is measured here, from the "
    "moment the host says that it begins to the moment it says that it has ended. Tasks that "
    "need nothing done are decided here and have no time of their own. `--profile` sums it all "
    "up, and `pgha-deploy logs --profile` does for an earlier run.\n";

static void put_fields(struct str *out, const char *names)
{
    for (const char *word = names; *word;) {
        size_t len = strcspn(word, " ");

        str_printf(out, "%s`%.*s`", word == names ? "" : ", ", (int)len, word);
        word += len + (word[len] == ' ');
    }
}

void event_json_write_docs(struct str *out)
{
    str_puts(out, docs_head);
    str_puts(out, "## Kinds\n\n| kind | when | fields |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        str_printf(out, "| `%s` | %s | ", kinds[i].name, kinds[i].help);
        put_fields(out, kinds[i].fields);
        str_puts(out, " |\n");
    }
    str_puts(out, "\n## Fields\n\n| field | type | what |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        str_printf(out, "| `%s` | %s | %s |\n", fields[i].name,
                   fields[i].type == FIELD_TEXT ? "string" : "integer", fields[i].help);
    str_puts(out, docs_example);
}
