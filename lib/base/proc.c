/*
 * proc.c - running programs: fork, exec, feeding, reading, waiting, killing.
 *
 * What the child needs (path, environment, descriptors) is made before fork(2): in a program with
 * threads only async-signal-safe calls are allowed between fork and exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/base/vec.h"

#define PATH_SIZE      4096
#define TAIL_BYTES     ((size_t)4 << 10)
#define READ_CHUNK     ((size_t)16 << 10)
#define COMMAND_BYTES  ((size_t)200)
#define KILL_AFTER_MS  2000 /* from SIGTERM to SIGKILL */
#define DRAIN_MS       200  /* for output of a finished program whose own children hold the pipe */
#define STOP_LOOK_MS   100
#define STAT_BYTES     ((size_t)4 << 10)
#define STAT_STARTTIME 22

static const char sbin_folders[] = "/usr/local/sbin:/usr/sbin:/sbin";

/* What the child becomes. All of it is ready before the fork. */
struct image {
    char path[PATH_SIZE];
    char *const *argv;
    VEC(char *) env;
    int fds[3];     /* stdin, stdout, stderr */
    int failure[2]; /* pipe: the child's errno when exec did not happen; closed when it did */
};

enum child_life { CHILD_OURS, CHILD_DETACHED };

/* --- finding programs --- */

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0 && !file_is_dir(path);
}

static bool find_in(const char *folders, const char *name, char *path, size_t size)
{
    while (*folders) {
        size_t len = strcspn(folders, ":");
        int written = snprintf(path, size, "%.*s/%s", (int)len, folders, name);

        /* An empty entry would mean the current folder: no program is taken from there. */
        if (len > 0 && written > 0 && (size_t)written < size && is_program(path))
            return true;
        folders += len;
        folders += *folders == ':';
    }
    return false;
}

bool proc_find_program(const char *name, char *path, size_t size)
{
    const char *folders = getenv("PATH");

    if (!*name)
        return false;
    if (strchr(name, '/'))
        return (size_t)snprintf(path, size, "%s", name) < size && is_program(path);
    return find_in(folders ? folders : "/usr/local/bin:/usr/bin:/bin", name, path, size) ||
           find_in(sbin_folders, name, path, size);
}

/* --- the child --- */

static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");

    return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_replaced(const char *variable, const char *const *additions)
{
    for (; additions && *additions; additions++) {
        if (same_name(*additions, variable))
            return true;
    }
    return false;
}

static int image_init(struct image *image, const char *const *argv, const char *const *env,
                      struct err *err)
{
    *image = (struct image){.argv = (char *const *)argv, .fds = {-1, -1, -1}, .failure = {-1, -1}};
    if (!proc_find_program(argv[0], image->path, sizeof(image->path))) {
        err_set(err, ERR_IO, "%s: no such program", argv[0]);
        return err_hint(err, "install it, or add its folder to PATH");
    }
    for (char **variable = environ; variable && *variable; variable++) {
        if (!is_replaced(*variable, env))
            vec_push(&image->env, *variable);
    }
    for (; env && *env; env++)
        vec_push(&image->env, (char *)*env);
    vec_push(&image->env, NULL);
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void image_release(struct image *image)
{
    for (int i = 0; i < 3; i++)
        close_fd(&image->fds[i]);
    close_fd(&image->failure[0]);
    close_fd(&image->failure[1]);
    vec_release(&image->env);
}

static void reset_signals(void)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &by_default, NULL); /* fails for those that have no handler anyway */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All but 0, 1 and 2 close at exec; until then the failure pipe is still there. */
static void close_rest(void)
{
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    for (int fd = 3; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void NORETURN become(const struct image *image)
{
    int number;

    reset_signals();
    for (int fd = 0; fd < 3; fd++) {
        if (dup2(image->fds[fd], fd) < 0)
            goto failed;
    }
    close_rest();
    execve(image->path, image->argv, image->env.items);
failed:
    number = errno;
    (void)!write(image->failure[1], &number, sizeof(number));
    _exit(127);
}

/* 0 when the child became the program; otherwise its errno. */
static int wait_for_exec(struct image *image)
{
    int number = 0;
    ssize_t got;

    close_fd(&image->failure[1]);
    do {
        got = read(image->failure[0], &number, sizeof(number));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(number) ? number : 0;
}

/* A group of its own, so that a timeout reaches what it started; and it does not outlive us. */
static void NORETURN run_child(const struct image *image, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    become(image);
}

/* The child only starts the real one, which then belongs to init: nobody here has to wait for it.
 */
static void NORETURN run_detached(const struct image *image, int pid_pipe)
{
    pid_t pid;

    setsid();
    pid = fork();
    if (pid != 0) {
        int number = errno;

        if (pid < 0)
            (void)!write(image->failure[1], &number, sizeof(number));
        else
            (void)!write(pid_pipe, &pid, sizeof(pid));
        _exit(0);
    }
    become(image);
}

/* Forks with all signals blocked, so that none of our handlers runs in the child. */
static pid_t fork_blocked(enum child_life life, const struct image *image, int pid_pipe)
{
    pid_t parent = getpid(), pid;
    sigset_t all, before;
    int number;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0 && life == CHILD_OURS)
        run_child(image, parent);
    if (pid == 0)
        run_detached(image, pid_pipe);
    number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

static int open_null(int flags, struct err *err)
{
    int fd = open("/dev/null", flags | O_CLOEXEC);

    if (fd < 0)
        err_set_errno(err, "/dev/null");
    return fd;
}

/* --- proc_run --- */

struct run {
    struct proc *proc;
    struct image image;
    struct str own_tail; /* the end of stderr when the caller does not want it */
    int out, errout;     /* our ends of the pipes; -1: closed */
    pid_t pid;
    int pidfd;
    int wait_status;
    bool ended;
    int64_t deadline;           /* 0: none */
    int64_t kill_at;            /* 0: SIGTERM was not sent */
    bool stopping_before;       /* a stop was asked for before we began: this is cleaning up */
    enum err_code stopped_with; /* why we sent SIGTERM */
};

/* The command for messages, shortened. Secrets are never in argv. */
static void put_command(struct str *text, const char *const *argv)
{
    struct str words;

    str_init(&words, STR_MAX_TEXT);
    for (size_t i = 0; argv[i]; i++)
        str_printf(&words, "%s%s", i ? " " : "", argv[i]);
    for (size_t i = 0; i < words.len; i++) {
        if ((unsigned char)words.buf[i] < ' ')
            words.buf[i] = ' ';
    }
    if (words.len > COMMAND_BYTES)
        str_printf(text, "%.*s...", (int)COMMAND_BYTES, words.buf);
    else
        str_puts(text, words.buf);
    str_release(&words);
}

/* Keeps the end of what is added, dropping from the front when there is too much. */
static void add_to_tail(struct str *tail, const char *data, size_t len)
{
    if (len > TAIL_BYTES) {
        data += len - TAIL_BYTES;
        len = TAIL_BYTES;
    }
    if (tail->len + len > TAIL_BYTES) {
        size_t drop = tail->len + len - TAIL_BYTES;

        memmove(tail->buf, tail->buf + drop, tail->len - drop);
        tail->len -= drop;
    }
    str_add(tail, data, len);
}

/* The input lies in memory, not in a pipe: there is nothing to feed and no SIGPIPE. */
static int make_input(const char *input, size_t len, struct err *err)
{
    int fd;

    if (!input)
        return open_null(O_RDONLY, err);
    fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, "memfd_create");
        return -1;
    }
    for (size_t done = 0; done < len;) {
        ssize_t put = write(fd, input + done, len - done);

        if (put < 0 && errno != EINTR) {
            err_set_errno(err, "keeping %zu bytes of input in memory", len);
            close(fd);
            return -1;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int make_pipe(int *reader, int *writer, struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_errno(err, "pipe");
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}

static int open_descriptors(struct run *run, struct err *err)
{
    struct image *image = &run->image;

    image->fds[0] = make_input(run->proc->input, run->proc->input_len, err);
    if (image->fds[0] < 0)
        return -1;
    if (run->proc->out) {
        if (make_pipe(&run->out, &image->fds[1], err) < 0)
            return -1;
    } else if ((image->fds[1] = open_null(O_WRONLY, err)) < 0) {
        return -1;
    }
    if (make_pipe(&run->errout, &image->fds[2], err) < 0)
        return -1;
    return make_pipe(&image->failure[0], &image->failure[1], err);
}

static int start(struct run *run, struct err *err)
{
    int number;

    run->pid = fork_blocked(CHILD_OURS, &run->image, -1);
    if (run->pid < 0)
        return err_set_errno(err, "fork");
    for (int i = 0; i < 3; i++)
        close_fd(&run->image.fds[i]);
    number = wait_for_exec(&run->image);
    if (number == 0) {
        run->pidfd =
            pidfd_open(run->pid, 0); /* -1 on a kernel without: then we look every 100 ms */
        return 0;
    }
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = number;
    return err_set_errno(err, "%s", run->image.path);
}

static void read_some(struct run *run, int *fd)
{
    char chunk[READ_CHUNK];
    ssize_t got = read(*fd, chunk, sizeof(chunk));

    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0)
        close_fd(fd);
    else if (fd == &run->out)
        str_add(run->proc->out, chunk, (size_t)got);
    else if (run->proc->errout)
        str_add(run->proc->errout, chunk, (size_t)got);
    else
        add_to_tail(&run->own_tail, chunk, (size_t)got);
}

/* Waits at most wait_ms for output or the end, and takes what there is. */
static void read_output(struct run *run, int wait_ms)
{
    struct pollfd fds[] = {{.fd = run->out, .events = POLLIN},
                           {.fd = run->errout, .events = POLLIN},
                           {.fd = run->ended ? -1 : run->pidfd, .events = POLLIN}};

    if (poll(fds, ARRAY_LEN(fds), wait_ms) <= 0)
        return;
    if (fds[0].revents)
        read_some(run, &run->out);
    if (fds[1].revents)
        read_some(run, &run->errout);
}

static void send_signals(struct run *run)
{
    int64_t now = clock_mono_ms();

    if (run->kill_at) {
        if (now >= run->kill_at)
            kill(-run->pid, SIGKILL);
        return;
    }
    if (run->deadline && now >= run->deadline)
        run->stopped_with = ERR_TIMEOUT;
    else if (clock_stop_requested() && !run->stopping_before)
        run->stopped_with = ERR_INTERRUPTED;
    else
        return;
    run->kill_at = now + KILL_AFTER_MS;
    kill(-run->pid, SIGTERM);
}

static int next_wait_ms(const struct run *run)
{
    int64_t until = run->kill_at ? run->kill_at : run->deadline;
    int64_t left = until ? until - clock_mono_ms() : STOP_LOOK_MS;

    if (left < 1)
        return 1;
    return left < STOP_LOOK_MS ? (int)left : STOP_LOOK_MS;
}

static bool has_ended(const struct run *run)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == run->pid;
}

static void wait_for_end(struct run *run)
{
    int64_t drain_until;

    while (!run->ended) {
        send_signals(run);
        read_output(run, next_wait_ms(run));
        run->ended = has_ended(run);
    }
    if (run->kill_at)
        kill(-run->pid,
             SIGKILL); /* what is left of its group; not yet reaped, so still its number */
    while (waitpid(run->pid, &run->wait_status, 0) < 0 && errno == EINTR)
        ;
    /* A daemon it left behind may hold the pipes open for ever: take only what is there. */
    drain_until = clock_mono_ms() + DRAIN_MS;
    while ((run->out >= 0 || run->errout >= 0) && clock_mono_ms() < drain_until)
        read_output(run, DRAIN_MS);
}

static int report_exit(const struct run *run, const char *command, struct err *err)
{
    const struct proc *p = run->proc;
    struct str tail;

    str_init(&tail, TAIL_BYTES);
    if (p->errout)
        add_to_tail(&tail, p->errout->buf, p->errout->len);
    else
        str_add(&tail, run->own_tail.buf, run->own_tail.len);
    str_trim_end(&tail);
    if (WIFSIGNALED(run->wait_status))
        err_set(err, ERR_FAILED, "%s: ended by signal %d", command, WTERMSIG(run->wait_status));
    else
        err_set(err, ERR_FAILED, "%s: exit status %d", command, p->status);
    if (tail.len > 0)
        err_set(err, ERR_FAILED, "%s: %s", err->text, tail.buf);
    str_release(&tail);
    return -1;
}

static int report(const struct run *run, struct err *err)
{
    const struct proc *p = run->proc;
    struct str command;
    int rc = 0;

    str_init(&command, STR_MAX_TEXT);
    put_command(&command, p->argv);
    if (run->stopped_with == ERR_TIMEOUT)
        rc = err_set(err, ERR_TIMEOUT, "%s: not done after %g s", command.buf,
                     p->timeout_ms / 1000.0);
    else if (run->stopped_with == ERR_INTERRUPTED)
        rc = err_set(err, ERR_INTERRUPTED, "%s: interrupted", command.buf);
    else if (p->status != 0)
        rc = report_exit(run, command.buf, err);
    else if (p->out && p->out->full)
        rc =
            err_set(err, ERR_FAILED, "%s: more than %zu bytes of output", command.buf, p->out->max);
    str_release(&command);
    return rc;
}

int proc_run(struct proc *p, struct err *err)
{
    struct run run = {
        .proc = p, .out = -1, .errout = -1, .pidfd = -1, .stopping_before = clock_stop_requested()};
    int rc = -1;

    str_init(&run.own_tail, TAIL_BYTES);
    if (image_init(&run.image, p->argv, p->env, err) < 0)
        goto out;
    if (open_descriptors(&run, err) < 0)
        goto out;
    if (start(&run, err) < 0)
        goto out;
    run.deadline = p->timeout_ms ? clock_mono_ms() + p->timeout_ms : 0;
    wait_for_end(&run);
    p->status = WIFSIGNALED(run.wait_status) ? 128 + WTERMSIG(run.wait_status)
                                             : WEXITSTATUS(run.wait_status);
    rc = report(&run, err);
out:
    close_fd(&run.out);
    close_fd(&run.errout);
    close_fd(&run.pidfd);
    image_release(&run.image);
    str_release(&run.own_tail);
    return rc;
}

/* --- proc_spawn --- */

static int open_log(struct image *image, const char *log_path, struct err *err)
{
    image->fds[0] = open_null(O_RDONLY, err);
    if (image->fds[0] < 0)
        return -1;
    image->fds[1] = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (image->fds[1] < 0)
        return err_set_errno(err, "%s", log_path);
    image->fds[2] = fcntl(image->fds[1], F_DUPFD_CLOEXEC, 3);
    if (image->fds[2] < 0)
        return err_set_errno(err, "%s", log_path);
    return make_pipe(&image->failure[0], &image->failure[1], err);
}

int proc_spawn(const char *const *argv, const char *const *env, const char *log_path, pid_t *pid,
               struct err *err)
{
    struct image image;
    int pid_pipe[2] = {-1, -1};
    pid_t starter;
    int rc = -1, number;

    if (image_init(&image, argv, env, err) < 0 || open_log(&image, log_path, err) < 0 ||
        make_pipe(&pid_pipe[0], &pid_pipe[1], err) < 0)
        goto out;
    starter = fork_blocked(CHILD_DETACHED, &image, pid_pipe[1]);
    if (starter < 0) {
        err_set_errno(err, "fork");
        goto out;
    }
    number = wait_for_exec(&image);
    while (waitpid(starter, NULL, 0) < 0 && errno == EINTR)
        ;
    if (number == 0 && read(pid_pipe[0], pid, sizeof(*pid)) == (ssize_t)sizeof(*pid)) {
        rc = 0;
    } else {
        errno = number;
        err_set_errno(err, "%s", image.path);
    }
out:
    close_fd(&pid_pipe[0]);
    close_fd(&pid_pipe[1]);
    image_release(&image);
    return rc;
}

/* --- processes that already run --- */

uint64_t proc_start_time(pid_t pid)
{
    char path[64];
    struct err ignored = ERR_INIT;
    struct str stat;
    uint64_t start = 0;
    const char *field;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    str_init(&stat, STAT_BYTES);
    if (file_read(path, &stat, &ignored) < 0)
        err_release(&ignored);
    /* The name in field 2 may hold spaces and brackets: field 3, the state, follows the last ")".
     */
    field = strrchr(stat.buf, ')');
    if (field && field[1] == ' ' && field[2] != 'Z' && field[2] != 'X') {
        for (int n = 2; field && n < STAT_STARTTIME; n++)
            field = strchr(field + 1, ' ');
        start = field ? strtoull(field + 1, NULL, 10) : 0;
    }
    str_release(&stat);
    return start;
}
