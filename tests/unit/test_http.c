/*
 * test_http.c - against a server in a thread: it keeps the request, and answers what the test says.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/net/http.h"
#include "lib/net/pool.h"

#define REQUEST_MAX 65536

struct server {
    int fd, port, requests;
    const char *answer;
    int delay_ms;
    char request[REQUEST_MAX];
    pthread_t thread;
};

static size_t body_length(const char *request)
{
    const char *header = strstr(request, "Content-Length: ");

    return header ? strtoul(header + strlen("Content-Length: "), NULL, 10) : 0;
}

static void read_request(int fd, char *request)
{
    size_t len = 0;

    for (;;) {
        char *end;
        ssize_t n = read(fd, request + len, REQUEST_MAX - 1 - len);

        if (n <= 0)
            return;
        len += (size_t)n;
        request[len] = '\0';
        end = strstr(request, "\r\n\r\n");
        if (end && (size_t)(request + len - end - 4) >= body_length(request))
            return;
    }
}

static void *serve(void *arg)
{
    struct server *s = arg;

    for (int i = 0; i < s->requests; i++) {
        int fd = accept(s->fd, NULL, NULL);
        const char *answer = s->answer;

        memset(s->request, 0, sizeof(s->request));
        read_request(fd, s->request);
        usleep((useconds_t)s->delay_ms * 1000);
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
            s->answer = "HTTP/1.0 500 the client is gone\r\n\r\n";
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *s, const char *answer, int requests)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    s->answer = answer;
    s->requests = requests;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(s->fd, 16), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_end(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* One request to a server that answers so. */
struct exchange {
    struct server server;
    struct http http;
    struct str response;
    struct err err;
    int rc;
    char url[128];
};

static void exchange(struct exchange *x, const char *answer, size_t max)
{
    memset(&x->err, 0, sizeof(x->err));
    str_init(&x->response, max);
    server_start(&x->server, answer, 1);
    if (!x->http.url) {
        snprintf(x->url, sizeof(x->url), "http://127.0.0.1:%d/path?x=1", x->server.port);
        x->http.url = x->url;
    }
    x->http.response = &x->response;
    x->rc = http_do(&x->http, &x->err);
    server_end(&x->server);
}

static void exchange_release(struct exchange *x)
{
    str_release(&x->response);
    err_release(&x->err);
}

static void a_get_returns_status_and_body(void **state)
{
    struct exchange x = {.http = {0}};

    UNUSED(state);
    exchange(&x, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 100);
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.http.status, 200);
    assert_string_equal(x.response.buf, "hello");
    assert_int_equal(strncmp(x.server.request, "GET /path?x=1 HTTP/1.1\r\n", 24), 0);
    exchange_release(&x);
}

static void any_status_is_an_answer(void **state)
{
    static const int statuses[] = {204, 301, 401, 403, 404, 500, 503};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct exchange x = {.http = {0}};
        char answer[128];

        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                 statuses[i]);
        exchange(&x, answer, 100);
        assert_int_equal(x.rc, 0);
        assert_int_equal(x.http.status, statuses[i]); /* and the redirect is not followed */
        exchange_release(&x);
    }
}

static void method_headers_body_and_login_are_sent(void **state)
{
    static const char *const headers[] = {"X-One: 1", "Content-Type: application/json", NULL};
    struct exchange x = {.http = {.method = "PATCH",
                                  .headers = headers,
                                  .body = "{\"a\":1}\0binary",
                                  .body_len = 14,
                                  .user = "admin",
                                  .password = "s:ecret"}};

    UNUSED(state);
    exchange(&x, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 100);
    assert_int_equal(x.rc, 0);
    assert_int_equal(strncmp(x.server.request, "PATCH /path", 11), 0);
    assert_non_null(strstr(x.server.request, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(x.server.request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(x.server.request, "\r\nAuthorization: Basic YWRtaW46czplY3JldA==\r\n"));
    assert_memory_equal(strstr(x.server.request, "\r\n\r\n") + 4, "{\"a\":1}\0binary", 14);
    exchange_release(&x);
}

static void head_and_empty_post(void **state)
{
    struct exchange head = {.http = {.method = "HEAD"}};
    struct exchange post = {.http = {.method = "POST", .body = "", .body_len = 0}};

    UNUSED(state);
    exchange(&head, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 100);
    assert_int_equal(head.rc, 0);
    assert_int_equal(head.http.status, 200);
    assert_int_equal(strncmp(head.server.request, "HEAD ", 5), 0);
    exchange_release(&head);
    exchange(&post, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 100);
    assert_int_equal(post.rc, 0);
    assert_int_equal(strncmp(post.server.request, "POST ", 5), 0);
    assert_non_null(strstr(post.server.request, "Content-Length: 0"));
    exchange_release(&post);
}

static void the_answer_is_bounded(void **state)
{
    struct exchange fits = {.http = {0}}, long_one = {.http = {0}};

    UNUSED(state);
    exchange(&fits, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", 10);
    assert_int_equal(fits.rc, 0);
    exchange_release(&fits);
    exchange(&long_one, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", 10);
    assert_int_equal(long_one.rc, -1);
    assert_int_equal(long_one.err.code, ERR_NET);
    assert_non_null(strstr(long_one.err.text, "larger than 10 bytes"));
    exchange_release(&long_one);
}

static void a_slow_answer_times_out(void **state)
{
    struct exchange x = {.http = {.timeout_ms = 200}, .server = {.delay_ms = 600}};
    int64_t began = clock_mono_ms();

    UNUSED(state);
    exchange(&x, "HTTP/1.1 200 OK\r\n\r\n", 100);
    assert_int_equal(x.rc, -1);
    assert_int_equal(x.err.code, ERR_TIMEOUT);
    assert_true(x.err.retryable);
    assert_non_null(strstr(x.err.text, "within 200 ms"));
    assert_null(strstr(x.err.text, "x=1")); /* a query may hold a secret */
    assert_true(clock_mono_ms() - began < 2000);
    exchange_release(&x);
}

static void broken_answers_are_net_faults(void **state)
{
    static const char *const answers[] = {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
                                          "garbage\r\n\r\n", "SSH-2.0-OpenSSH\r\n"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct exchange x = {.http = {0}};

        exchange(&x, answers[i], 1000);
        assert_int_equal(x.rc, -1);
        assert_int_equal(x.err.code, ERR_NET);
        exchange_release(&x);
    }
}

static void check_fault(const char *url, enum err_code code, bool retryable)
{
    struct str response;
    struct http http = {.url = url, .response = &response, .timeout_ms = 2000};
    struct err err = ERR_INIT;

    str_init(&response, 100);
    assert_int_equal(http_do(&http, &err), -1);
    if (err.code != code || err.retryable != retryable)
        fail_msg("%s: %s", url, err.text);
    err_release(&err);
    str_release(&response);
}

static void faults_of_url_and_connection(void **state)
{
    struct server s = {0};
    char url[64];

    UNUSED(state);
    server_start(&s, "", 0);
    server_end(&s);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", s.port);
    check_fault(url, ERR_NET, true);
    check_fault("file:///etc/passwd", ERR_INPUT, false);
    check_fault("ftp://127.0.0.1/", ERR_INPUT, false);
    check_fault("127.0.0.1", ERR_INPUT, false);
    check_fault("", ERR_INPUT, false);
    check_fault("http://", ERR_INPUT, false);
    check_fault("http://127.0.0.1:999999/", ERR_INPUT, false);
}

static void private_addresses_need_no_proxy(void **state)
{
    struct exchange x = {.http = {0}};

    UNUSED(state);
    setenv("http_proxy", "http://127.0.0.1:1/", 1); /* nobody listens there */
    setenv("no_proxy", "example.org", 1);
    exchange(&x, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 100);
    unsetenv("no_proxy");
    unsetenv("http_proxy");
    if (x.rc < 0)
        fail_msg("%s", x.err.text);
    exchange_release(&x);
}

static void public_names_use_the_proxy(void **state)
{
    struct exchange x = {.http = {.url = "http://cluster.invalid/x"}};
    char proxy[64];

    UNUSED(state);
    server_start(&x.server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", x.server.port);
    setenv("http_proxy", proxy, 1);
    str_init(&x.response, 100);
    x.http.response = &x.response;
    x.rc = http_do(&x.http, &x.err);
    unsetenv("http_proxy");
    server_end(&x.server);
    assert_int_equal(x.rc, 0);
    assert_int_equal(strncmp(x.server.request, "GET http://cluster.invalid/x ", 29), 0);
    exchange_release(&x);
}

static void one_of_many(void *ctx, size_t job)
{
    struct server *s = ctx;
    struct str response;
    struct http http = {.response = &response};
    struct err err = ERR_INIT;
    char url[64];

    UNUSED(job);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", s->port);
    http.url = url;
    str_init(&response, 100);
    if (http_do(&http, &err) < 0 || http.status != 200)
        abort();
    str_release(&response);
}

static void many_threads_at_once(void **state)
{
    struct server s = {0};

    UNUSED(state);
    http_init();
    server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 16);
    pool_run(0, 16, one_of_many, &s, NULL);
    server_end(&s);
}

static void on_alarm(int sig)
{
    UNUSED(sig);
    clock_request_stop();
}

/* In a child: a requested stop cannot be taken back. */
static void a_stop_ends_the_wait(void **state)
{
    int status = 0;
    pid_t pid = fork();

    UNUSED(state);
    if (pid == 0) {
        struct exchange x = {.http = {.timeout_ms = 20000}, .server = {.delay_ms = 2500}};

        sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
        alarm(1);
        exchange(&x, "", 100);
        _exit(x.rc < 0 && x.err.code == ERR_INTERRUPTED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_returns_status_and_body),
        cmocka_unit_test(any_status_is_an_answer),
        cmocka_unit_test(method_headers_body_and_login_are_sent),
        cmocka_unit_test(head_and_empty_post),
        cmocka_unit_test(the_answer_is_bounded),
        cmocka_unit_test(a_slow_answer_times_out),
        cmocka_unit_test(broken_answers_are_net_faults),
        cmocka_unit_test(faults_of_url_and_connection),
        cmocka_unit_test(private_addresses_need_no_proxy),
        cmocka_unit_test(public_names_use_the_proxy),
        cmocka_unit_test(many_threads_at_once),
        cmocka_unit_test(a_stop_ends_the_wait),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
