/*
 * clock.c - clocks, interruptible sleep, the kernel's random numbers.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/random.h>

#include "lib/base/clock.h"

#define SLEEP_SLICE_MS 50 /* a signal wakes only one thread: the others look this often */

static atomic_int stop_requested;
static _Thread_local int passing_over;

static int64_t now_us(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        BUG("clock_gettime(%d)", (int)clock);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_real_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

void clock_sleep_ms(int ms)
{
    int64_t deadline = clock_mono_ms() + ms;
    int64_t left;

    while ((left = deadline - clock_mono_ms()) > 0 && !clock_stop_requested()) {
        int64_t slice = left < SLEEP_SLICE_MS ? left : SLEEP_SLICE_MS;

        nanosleep(&(struct timespec){.tv_nsec = (long)slice * 1000000}, NULL);
    }
}

void clock_iso8601(int64_t real_ms, char out[32])
{
    /* Rounded down, also before 1970. */
    time_t seconds = (time_t)(real_ms / 1000 - (real_ms % 1000 < 0));
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        BUG("no date for %lld ms", (long long)real_ms);
}

void clock_request_stop(void)
{
    stop_requested = 1;
}

bool clock_stop_requested(void)
{
    return stop_requested != 0 && passing_over == 0;
}

void clock_pass_over_stop(void)
{
    passing_over++;
}

void clock_heed_stop(void)
{
    passing_over--;
}

void random_bytes(void *buf, size_t len)
{
    char *p = buf;

    while (len > 0) {
        ssize_t got = getrandom(p, len, 0);

        if (got < 0 && errno != EINTR)
            BUG("getrandom: errno %d", errno);
        if (got > 0) {
            p += got;
            len -= (size_t)got;
        }
    }
}

void random_password(char *out, size_t chars)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const size_t count = sizeof(letters) - 1;
    size_t n = 0;

    while (n < chars) {
        unsigned char byte;

        random_bytes(&byte, 1);
        if (byte < 256 / count * count) /* the rest would favour the first letters */
            out[n++] = letters[byte % count];
    }
    out[chars] = '\0';
}
