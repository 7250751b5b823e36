/*
 * ssh_known_hosts.c - is this the host we know? The format of known_hosts is in sshd(8).
 *
 * libssh can tell that a key changed, but not from what, and it knows no markers (@revoked,
 * @cert-authority); so the lines are walked here, and libssh matches and decodes each. It never
 * asks a server for its certificate, and has no call to verify one.
 */
#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/net/ssh_session.h"

#define KNOWN_HOSTS_MAX ((size_t)16 << 20)
#define GLOBAL_FILE     "/etc/ssh/ssh_known_hosts"
#define BLANKS          " \t"

enum verdict {
    KEY_UNKNOWN,
    KEY_OTHER_TYPE,
    KEY_CHANGED,
    KEY_KNOWN,
    KEY_REVOKED
}; /* the largest counts */

struct search {
    char *host; /* as known_hosts has it: "addr", or "[addr]:port" */
    ssh_key key;
    enum verdict verdict;
    char *expected;      /* fingerprint of the known key, when another is shown; owned */
    char *expected_type; /* owned */
    char *place;         /* "file:line" of that; owned */
    char *authority;     /* "file:line" of a @cert-authority for the host; owned; NULL: none */
};

/* Two threads that meet new hosts write whole lines, one after the other. */
static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;

char *ssh_user_file(const char *name)
{
    const char *home = getenv("HOME");

    return xasprintf("%s/.ssh/%s", home && *home ? home : "/root", name);
}

void ssh_known_hosts_init(struct ssh_known_hosts *known, const struct ssh_target *target)
{
    known->own = target->known_hosts ? xstrdup(target->known_hosts) : ssh_user_file("known_hosts");
    known->global = target->known_hosts ? NULL : xstrdup(GLOBAL_FILE);
}

void ssh_known_hosts_release(struct ssh_known_hosts *known)
{
    free(known->own);
    free(known->global);
    known->own = known->global = NULL;
}

static char *fingerprint(ssh_key key)
{
    unsigned char *hash = NULL;
    size_t len = 0;
    char *text = NULL, *copy;

    if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len) == SSH_OK)
        text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
    copy = xstrdup(text ? text : "(no fingerprint)");
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    return copy;
}

static char *name_in_file(const struct ssh_target *target)
{
    bool plain = target->port == 0 || target->port == 22;
    char *host =
        plain ? xstrdup(target->address) : xasprintf("[%s]:%d", target->address, target->port);

    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return host;
}

static void search_release(struct search *search)
{
    free(search->host);
    ssh_key_free(search->key);
    free(search->expected);
    free(search->expected_type);
    free(search->place);
    free(search->authority);
}

static enum verdict compare(ssh_key shown, ssh_key known, bool revoked)
{
    bool same = ssh_key_cmp(shown, known, SSH_KEY_CMP_PUBLIC) == 0;

    if (revoked)
        return same ? KEY_REVOKED : KEY_UNKNOWN;
    if (same)
        return KEY_KNOWN;
    return ssh_key_type(shown) == ssh_key_type(known) ? KEY_CHANGED : KEY_OTHER_TYPE;
}

enum marker { MARKER_NONE, MARKER_REVOKED, MARKER_AUTHORITY, MARKER_UNKNOWN };

/* The marker that the line begins with, and *line behind it. */
static enum marker take_marker(const char **line)
{
    static const struct {
        const char *word;
        enum marker marker;
    } markers[] = {{"@revoked", MARKER_REVOKED}, {"@cert-authority", MARKER_AUTHORITY}};
    const char *word = *line + strspn(*line, BLANKS);
    size_t len = strcspn(word, BLANKS);

    *line = word;
    if (*word != '@')
        return MARKER_NONE;
    *line += len + strspn(word + len, BLANKS);
    for (size_t i = 0; i < ARRAY_LEN(markers); i++)
        if (len == strlen(markers[i].word) && strncmp(word, markers[i].word, len) == 0)
            return markers[i].marker;
    return MARKER_UNKNOWN;
}

static void note_key(struct search *search, ssh_key known, bool revoked, const char *place)
{
    enum verdict verdict = compare(search->key, known, revoked);

    if (verdict <= search->verdict)
        return;
    search->verdict = verdict;
    free(search->expected);
    free(search->expected_type);
    free(search->place);
    search->expected = fingerprint(known);
    search->expected_type = xstrdup(ssh_key_type_to_char(ssh_key_type(known)));
    search->place = xstrdup(place);
}

static void look_at_line(struct search *search, const char *line, const char *file, int number)
{
    struct ssh_knownhosts_entry *entry = NULL;
    enum marker marker = take_marker(&line);
    char *place;

    if (marker == MARKER_UNKNOWN || *line == '#' || *line == '\0')
        return;
    if (ssh_known_hosts_parse_line(search->host, line, &entry) != SSH_OK || !entry)
        return;
    place = xasprintf("%s:%d", file, number);
    if (marker != MARKER_AUTHORITY)
        note_key(search, entry->publickey, marker == MARKER_REVOKED, place);
    else if (!search->authority)
        search->authority = xstrdup(place);
    free(place);
    ssh_knownhosts_entry_free(entry);
}

static int look_in_file(struct search *search, const char *file, struct err *err)
{
    struct str text;
    int number = 0;
    int rc = 0;

    if (!file_exists(file))
        return 0;
    str_init(&text, KNOWN_HOSTS_MAX);
    rc = file_read(file, &text, err);
    for (const char *p = text.buf; rc == 0 && *p;) {
        size_t len = strcspn(p, "\n");
        char *line = xstrndup(p, len);

        look_at_line(search, line, file, ++number);
        free(line);
        p += len + (p[len] == '\n');
    }
    str_release(&text);
    return rc;
}

/* One write(2) in append mode: other processes may add to the file at the same time. */
static int append_line(const char *file, const char *line, struct err *err)
{
    int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    char last = '\n';
    char *text = NULL;
    size_t len;
    off_t end;
    int rc = -1;

    if (fd < 0)
        return err_set_errno(err, "%s", file);
    end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1) {
        err_set_errno(err, "%s", file);
        goto out;
    }
    text = xasprintf("%s%s", last == '\n' ? "" : "\n", line);
    len = strlen(text);
    if (write(fd, text, len) != (ssize_t)len) {
        err_set_errno(err, "%s", file);
        goto out;
    }
    rc = 0;
out:
    free(text);
    close(fd);
    return rc;
}

static int record(const char *file, const struct search *search, struct err *err)
{
    char *dir = path_dir(file);
    char *key64 = NULL;
    char *line = NULL;
    int rc = -1;

    if (ssh_pki_export_pubkey_base64(search->key, &key64) != SSH_OK) {
        err_set(err, ERR_FAILED, "the host key cannot be encoded");
        goto out;
    }
    line = xasprintf("%s %s %s\n", search->host, ssh_key_type_to_char(ssh_key_type(search->key)),
                     key64);
    pthread_mutex_lock(&record_lock);
    rc = file_mkdirs(dir, 0700, err);
    if (rc == 0)
        rc = append_line(file, line, err);
    pthread_mutex_unlock(&record_lock);
    if (rc < 0)
        err_wrap(err, "recording the host key");
out:
    ssh_string_free_char(key64);
    free(line);
    free(dir);
    return rc;
}

static int refuse(const struct search *search, const char *file, struct err *err)
{
    const char *type = ssh_key_type_to_char(ssh_key_type(search->key));
    char *shown = fingerprint(search->key);

    switch (search->verdict) {
    case KEY_CHANGED:
        err_set(err, ERR_DENIED, "the host key has changed: expected %s %s (%s), the host shows %s",
                search->expected_type, search->expected, search->place, shown);
        err_hint(err,
                 "somebody may be between you and the host. If it was really reinstalled: "
                 "ssh-keygen -f '%s' -R '%s'",
                 file, search->host);
        break;
    case KEY_OTHER_TYPE:
        err_set(err, ERR_DENIED,
                "the host shows a key of another type: expected %s %s (%s), the host shows %s %s",
                search->expected_type, search->expected, search->place, type, shown);
        err_hint(err, "check the host's keys at its console, then add the line to %s", file);
        break;
    case KEY_REVOKED:
        err_set(err, ERR_DENIED, "the host key %s %s is revoked (%s)", type, shown, search->place);
        err_hint(err, "give the host a new key");
        break;
    default:
        err_set(err, ERR_DENIED, "the host key %s %s is not in %s", type, shown, file);
        if (search->authority)
            err_set(err, ERR_DENIED,
                    "%s; host certificates (@cert-authority, %s) are not supported", err->text,
                    search->authority);
        err_hint(err,
                 "compare the fingerprint with the host's console, then add %s: ssh-keyscan, or "
                 "--accept-new-host-keys to trust at first use",
                 search->authority ? "the host's own key" : "it");
    }
    free(shown);
    return -1;
}

int ssh_known_hosts_check(const struct ssh_known_hosts *known, ssh_session session,
                          const struct ssh_target *target, struct err *err)
{
    struct search search = {.host = name_in_file(target)};
    int rc = -1;

    if (ssh_get_server_publickey(session, &search.key) != SSH_OK) {
        err_set(err, ERR_NET, "the server shows no host key");
        goto out;
    }
    if (look_in_file(&search, known->own, err) < 0 ||
        (known->global && look_in_file(&search, known->global, err) < 0))
        goto out;
    if (search.verdict == KEY_KNOWN)
        rc = 0;
    else if (search.verdict == KEY_UNKNOWN && target->accept_new)
        rc = record(known->own, &search, err);
    else
        rc = refuse(&search, known->own, err);
out:
    search_release(&search);
    return rc;
}
