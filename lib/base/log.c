/*
 * log.c - log lines and the register of secrets.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/vec.h"

#define SECRET_MIN     6
#define LINE_MAX_BYTES ((size_t)64 << 10)

static const char mask[] = "********";

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static _Atomic(enum log_level) current_level = LOG_WARN;
static _Atomic(void (*)(enum log_level, const char *)) current_sink;

static pthread_mutex_t secrets_lock = PTHREAD_MUTEX_INITIALIZER;
static VEC(char *) secrets = VEC_INIT;
static bool starts_secret[256]; /* first bytes of secrets: skips nearly all of a text */

void log_set_level(enum log_level level)
{
    current_level = level;
}

bool log_wants(enum log_level level)
{
    return level <= current_level;
}

void log_set_sink(void (*sink)(enum log_level level, const char *line))
{
    current_sink = sink;
}

/* One write(2), so that lines of several threads do not mix; more only when the kernel took a part.
 */
static void write_stderr(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(STDERR_FILENO, data, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return; /* there is nowhere left to say so */
        data += put;
        len -= (size_t)put;
    }
}

void log_at(enum log_level level, const char *fmt, ...)
{
    void (*sink)(enum log_level, const char *) = current_sink;
    struct str line;
    va_list args;

    if (!log_wants(level))
        return;
    str_init(&line, LINE_MAX_BYTES);
    str_printf(&line, "%s: ", level_names[level]);
    va_start(args, fmt);
    str_vprintf(&line, fmt, args);
    va_end(args);
    if (line.full)
        str_puts(&line, "(a line too long to log)");
    log_redact(&line);
    str_trim_end(&line);
    if (sink) {
        sink(level, line.buf);
    } else {
        str_putc(&line, '\n');
        write_stderr(line.buf, line.len);
    }
    str_release(&line);
}

void log_secret(const char *secret)
{
    bool known = false;

    if (strlen(secret) < SECRET_MIN)
        return;
    pthread_mutex_lock(&secrets_lock);
    vec_each (item, &secrets)
        known = known || str_eq(*item, secret);
    if (!known) {
        vec_push(&secrets, xstrdup(secret));
        starts_secret[(unsigned char)secret[0]] = true;
    }
    pthread_mutex_unlock(&secrets_lock);
}

/* The length of the longest secret that text begins with, 0 when there is none. */
static size_t secret_at(const char *text, size_t len)
{
    size_t longest = 0;

    if (!starts_secret[(unsigned char)text[0]])
        return 0;
    vec_each (item, &secrets) {
        size_t size = strlen(*item);

        if (size > longest && size <= len && memcmp(text, *item, size) == 0)
            longest = size;
    }
    return longest;
}

/*
 * One mask for each run of bytes that belong to any secret. Secrets that overlap or touch make one
 * run, so that no end of one is left over beside the mask of the other.
 */
static bool redact_into(struct str *out, const struct str *text)
{
    size_t kept = 0, covered = 0; /* text before `kept` is dealt with, before `covered` is secret */

    for (size_t i = 0; i < text->len; i++) {
        size_t size = secret_at(text->buf + i, text->len - i);

        if (size == 0)
            continue;
        if (i > covered || covered == 0) {
            str_add(out, text->buf + kept, i - kept);
            str_puts(out, mask);
        }
        if (i + size > covered)
            covered = i + size;
        kept = covered;
    }
    str_add(out, text->buf + kept, text->len - kept);
    return covered > 0;
}

void log_redact(struct str *text)
{
    struct str out;
    bool found;

    str_init(&out, SIZE_MAX / 4); /* the mask may be longer than the secret: never cut for it */
    pthread_mutex_lock(&secrets_lock);
    found = secrets.n > 0 && redact_into(&out, text);
    pthread_mutex_unlock(&secrets_lock);
    if (!found) {
        str_release(&out);
        return;
    }
    out.max = text->max > out.len ? text->max : out.len;
    out.full = text->full;
    str_release(text);
    *text = out;
}

char *log_redacted(struct arena *a, const char *text)
{
    struct str s;
    char *copy;

    if (!text)
        return NULL;
    str_init(&s, STR_MAX_TEXT);
    str_puts(&s, text);
    log_redact(&s);
    copy = arena_strdup(a, s.buf);
    str_release(&s);
    return copy;
}
