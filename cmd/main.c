/* main.c - wires everything: providers, signals, the command line. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/base/clock.h"
#include "lib/doc/event_json.h"
#include "lib/net/http.h"

extern const struct provider provider_aws, provider_existing, provider_local;

static const struct provider *const providers[] = {&provider_local, &provider_existing,
                                                   &provider_aws, NULL};

static void on_signal(int number)
{
    UNUSED(number);
    if (clock_stop_requested())
        _Exit(130); /* the second Ctrl-C: at once; the next run goes on from the state */
    clock_request_stop();
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A file opened later must not become somebody's standard output. */
static void fill_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* The passphrase is not for the programs that are started. */
static char *take_variable(const char *name)
{
    const char *value = getenv(name);
    char *copy = value ? xstrdup(value) : NULL;

    unsetenv(name);
    return copy;
}

/* Events go to the screen, and to the report and the file as well when they were asked for. 0, or
 * the exit status, everything said. */
static int begin_events(struct context *ctx, struct event_json **file)
{
    struct err err = ERR_INIT;
    int fd;

    *file = NULL;
    ctx->events = ui_init(ctx->quiet, ctx->verbose);
    if (ctx->profile) {
        ctx->profiler = profiler_new(ctx->events);
        ctx->events = profiler_sink(ctx->profiler);
    }
    if (!ctx->events_file)
        return 0;
    fd = open(ctx->events_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_set(&err, ERR_IO, "--events: %s: %s", ctx->events_file, strerror(errno));
        return report_err(&err);
    }
    *file = event_json_new(fd, ctx->events);
    ctx->events = event_json_sink(*file);
    return 0;
}

/* "up --hosts-only": runs of the same title are alike. The options' values are nobody's. */
static char *title_of(const struct context *ctx, const struct command *command)
{
    struct str title;

    str_init(&title, STR_MAX_TEXT);
    str_puts(&title, command->name);
    for (size_t i = 0; i < ctx->options.n; i++)
        str_printf(&title, " --%s", ctx->options.entries[i].key);
    return str_detach(&title);
}

static int run_command(struct context *ctx, const struct command *command, int argc, char **argv)
{
    char *title = title_of(ctx, command);
    int64_t start = clock_mono_ms();
    int status;

    ctx->title = title;
    event_send(ctx->events, &(struct event){.kind = EVENT_RUN, .text = title});
    status = command->run(ctx, argc, argv);
    event_send(ctx->events, &(struct event){.kind = EVENT_RUN_END,
                                            .failed = status != 0,
                                            .elapsed_ms = clock_mono_ms() - start});
    ui_finish();
    profiler_report(ctx->profiler);
    free(title);
    return status;
}

int main(int argc, char **argv)
{
    struct context ctx = {.providers = providers, .file = "cluster.yaml"};
    const struct command *command = NULL;
    char *passphrase = take_variable(VAULT_PASSWORD_VARIABLE), *folder = vault_config_folder();
    struct event_json *events = NULL;
    int rest = 0, status;

    fill_standard_fds();
    map_init(&ctx.options);
    ctx.vault = (struct vault_source){.passphrase = passphrase, .config_folder = folder};
    status = options_parse(&ctx, argc, argv, &command, &rest);
    if (status < 0) {
        catch_signals();
        http_init();
        status = begin_events(&ctx, &events);
        if (status == 0)
            status = run_command(&ctx, command, rest, argv);
        profiler_free(ctx.profiler);
        event_json_free(events);
    }
    map_release(&ctx.options);
    vec_release(&ctx.given);
    free(passphrase);
    free(folder);
    return status;
}
