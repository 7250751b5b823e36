/*
 * get_url.c - module get_url: a file that the host fetches, with its curl or wget.
 *
 * It is fetched under a temporary name in the folder it is for, summed, synced and renamed: whoever
 * reads it sees the old or the new file. Whether it has changed only the host can tell, unless a
 * checksum says what it is to be.
 */
#include <ctype.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/jinja/jinja.h"
#include "lib/play/curl_config.h"
#include "lib/play/filechange.h"

static const struct module_arg args[] = {
    {"url", ARG_STR, true, NULL, NULL, NULL, "http:// or https://"},
    {"dest", ARG_PATH, true, NULL, NULL, NULL,
     "Where it goes; in a folder, under the last part of the URL"},
    {"checksum", ARG_STR, false, "", NULL, NULL,
     "sha256:HEX, or sha256:URL of a file of sums; also md5, sha1, sha224, sha384, sha512. A file "
     "that has it is not fetched; what is fetched must have it"},
    {"force", ARG_BOOL, false, "no", NULL, NULL, "Fetch it although it may be there"},
    {"timeout", ARG_INT, false, "10", NULL, NULL, "Seconds without an answer"},
    {"headers", ARG_MAP, false, NULL, NULL, NULL, "Further header fields"},
    {"url_username", ARG_STR, false, NULL, NULL, "username", "For basic authentication"},
    {"url_password", ARG_STR, false, NULL, NULL, "password", "For basic authentication"},
    {"force_basic_auth", ARG_BOOL, false, "no", NULL, NULL,
     "Accepted: who logs in does so with the first request"},
    {"validate_certs", ARG_BOOL, false, "yes", NULL, NULL, "no: accept any certificate"},
    {"use_proxy", ARG_BOOL, false, "yes", NULL, NULL, "Use the proxy of the environment"},
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it"},
    {"http_agent", ARG_STR, false, "ansible-httpget", NULL, NULL, "Header field User-Agent"},
    {"client_cert", ARG_PATH, false, NULL, NULL, NULL, "Certificate to show, a file of the host"},
    {"client_key", ARG_PATH, false, NULL, NULL, NULL, "Its key, when it is another file"},
    {"ciphers", ARG_LIST, false, NULL, NULL, NULL, "OpenSSL's names"},
    {"use_netrc", ARG_BOOL, false, "yes", NULL, NULL,
     "Without url_username: the login of ~/.netrc"},
    {"decompress", ARG_BOOL, false, "yes", NULL, NULL, "Accepted: nothing compressed is asked for"},
    {"tmp_dest", ARG_REFUSED, false, NULL, NULL, NULL,
     "what is fetched waits in the folder of dest, to be renamed: leave it out"},
    {"use_gssapi", ARG_REFUSED, false, "no", NULL, NULL, "use command: curl --negotiate"},
    {"unredirected_headers", ARG_REFUSED, false, NULL, NULL, NULL,
     "a redirect gets all header fields: name the file's last URL"},
    FILE_ATTRIBUTE_ARGS,
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define MAX_SECONDS     3600 /* of one download */
#define STATUS_NO_TOOL  97   /* of the fragment: neither curl nor wget is there */
#define STATUS_BAD_SUM  98
#define STATUS_NO_FETCH 99
#define STATUS_NO_SUM   100 /* the file of sums does not name the file */
#define STATUS_NOT_HEX  101
#define STATUS_NO_SUMS  102     /* the file of sums was not fetched */
#define MAX_SUMS        1048576 /* bytes of a file of sums */

struct download {
    const char *dest;      /* as given, clean */
    const char *inside;    /* below dest, should that be a folder */
    const char *algorithm; /* of the checksum; NULL: there is none */
    const char *sum;       /* NULL: it is in a file */
    const char *sums;      /* that file's URL */
    const char *sha256;    /* sum, when it is one that is known of files; NULL */
    const char *path;      /* plan: where it goes */
    bool adjusted;         /* plan: its owner or mode changes, whatever is fetched */
};

/* ---- what is asked for ---- */

/* Of which the host has a program, with the length of what it prints. */
static const struct {
    const char *name;
    size_t hex;
} algorithms[] = {{"md5", 32},    {"sha1", 40},   {"sha224", 56},
                  {"sha256", 64}, {"sha384", 96}, {"sha512", 128}};

static int parse_sum(struct module_call *call, const char *text, size_t want_len,
                     struct download *download, struct err *err)
{
    struct str hex;
    int rc = 0;

    str_init(&hex, STR_MAX_TEXT);
    for (const char *p = text; *p; p++)
        if (isalnum((unsigned char)*p) || *p == '_')
            str_putc(&hex, (char)tolower((unsigned char)*p));
    if (hex.len != want_len || strspn(hex.buf, "0123456789abcdef") != hex.len)
        rc = err_set(err, ERR_INPUT, "The checksum format is invalid");
    download->sum = arena_strdup(call->arena, hex.buf);
    if (str_eq(download->algorithm, "sha256"))
        download->sha256 = download->sum;
    str_release(&hex);
    return rc;
}

static int parse_checksum(struct module_call *call, struct download *download, struct err *err)
{
    const char *text = value_get_str(call->args, "checksum", ""), *colon = strchr(text, ':');
    size_t hex = 0;

    if (!*text)
        return 0;
    if (!colon)
        return err_set(err, ERR_INPUT,
                       "The checksum parameter has to be in format <algorithm>:<checksum>");
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (strlen(algorithms[i].name) == (size_t)(colon - text) &&
            str_starts(text, algorithms[i].name)) {
            download->algorithm = algorithms[i].name;
            hex = algorithms[i].hex;
        }
    }
    if (!download->algorithm)
        return err_set(err, ERR_INPUT,
                       "get_url: checksum begins with md5, sha1, sha224, sha256, sha384 or sha512, "
                       "not '%.40s'",
                       text);
    if (!str_starts(colon + 1, "http://") && !str_starts(colon + 1, "https://"))
        return parse_sum(call, colon + 1, hex, download, err);
    if (strchr(colon + 1, ' ') || !curl_is_clean(colon + 1))
        return err_set(err, ERR_INPUT, "get_url: no URL of a file of sums: '%.80s'", colon + 1);
    download->sums = colon + 1;
    return 0;
}

static int check(struct module_call *call, struct err *err)
{
    static const char *const texts[] = {"url",        "url_username", "url_password",
                                        "http_agent", "client_cert",  "client_key"};
    const char *url = value_get_str(call->args, "url", "");
    const char *user = value_get_str(call->args, "url_username", "");

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!curl_is_clean(value_get_str(call->args, texts[i], "")))
            return err_set(err, ERR_INPUT, "get_url: %s holds control characters", texts[i]);
    if (curl_ciphers(call) && !curl_is_clean(curl_ciphers(call)))
        return err_set(err, ERR_INPUT, "get_url: ciphers hold control characters");
    if ((!str_starts(url, "http://") && !str_starts(url, "https://")) || strchr(url, ' '))
        return err_set(err, ERR_INPUT, "url must be http://... or https://..., not '%.80s'", url);
    if (strchr(user, ':'))
        return err_set(err, ERR_INPUT, "get_url: url_username must not have a colon");
    if (value_get_int(call->args, "timeout", 10) <= 0)
        return err_set(err, ERR_INPUT, "get_url: timeout must be more than 0");
    return curl_check_headers(value_get(call->args, "headers"), err);
}

/* The last part of the URL's path. */
static const char *url_file_name(struct module_call *call, const char *url)
{
    const char *path = strstr(url, "://") + 3;
    const char *name;
    size_t end;

    path += strcspn(path, "/?#");
    end = strcspn(path, "?#");
    name = path_base(arena_strndup(call->arena, path, end));
    return *name && !str_eq(name, ".") && !str_eq(name, "..") && !str_ends(name, "/")
               ? name
               : "index.html";
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct download *download = arena_new(call->arena, struct download);
    const char *dest = value_get_str(call->args, "dest", "");

    if (check(call, err) < 0 || parse_checksum(call, download, err) < 0)
        return -1;
    download->dest = file_clean_path(call, dest);
    download->inside = file_clean_path(
        call, arena_printf(call->arena, "%s/%s", dest,
                           url_file_name(call, value_get_str(call->args, "url", ""))));
    call->own = download;
    file_content_needs(call, download->dest, NULL, false, false, add, ctx);
    file_content_needs(call, download->inside, NULL, false, false, add, ctx);
    return 0;
}

/* ---- the fragment ---- */

static void each_header(struct module_call *call, void (*put)(struct str *out, const char *line),
                        struct str *out)
{
    const struct value *headers = value_get(call->args, "headers");

    for (size_t i = 0; headers && i < headers->u.map.n; i++) {
        struct str line;

        str_init(&line, STR_MAX_TEXT);
        str_printf(&line, "%s: ", headers->u.map.entries[i].key);
        jinja_put(headers->u.map.entries[i].value, &line);
        put(out, line.buf);
        str_release(&line);
    }
}

/* Options that curl and wget have under names of their own; put writes one. */
static void each_option(struct module_call *call, const char *const names[4],
                        void (*put)(struct str *out, const char *name, const char *text),
                        struct str *out)
{
    const char *const texts[] = {value_get_str(call->args, "http_agent", NULL),
                                 value_get_str(call->args, "client_cert", NULL),
                                 value_get_str(call->args, "client_key", NULL), curl_ciphers(call)};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i])
            put(out, names[i], texts[i]);
}

static void put_curl_header(struct str *out, const char *line)
{
    curl_put(out, "header", line);
}

static bool reads_netrc(const struct module_call *call)
{
    return value_get_bool(call->args, "use_netrc", true) && !value_get(call->args, "url_username");
}

/* One file to fetch. */
struct fetch {
    const char *url;
    const char *since; /* only what is newer than this file; NULL: in any case */
    const char *to;    /* shell word: where it goes */
    long long most;    /* bytes; 0: any number */
    int failed;        /* status when it cannot be fetched */
};

static void curl_config(struct module_call *call, const struct fetch *fetch, struct str *out)
{
    static const char *const names[] = {"user-agent", "cert", "key", "ciphers"};
    const char *user = value_get_str(call->args, "url_username", NULL);
    long long timeout = value_get_int(call->args, "timeout", 10);

    curl_put(out, "url", fetch->url);
    str_printf(out,
               "silent\nshow-error\nfail\nlocation\ngloboff\nproto = \"=http,https\"\n"
               "connect-timeout = %lld\nspeed-limit = 1\nspeed-time = %lld\nmax-time = %d\n"
               "write-out = \"status %%{http_code}\\n\"\n",
               timeout, timeout, MAX_SECONDS);
    if (user)
        curl_put(out, "user",
                 arena_printf(call->arena, "%s:%s", user,
                              value_get_str(call->args, "url_password", "")));
    if (!value_get_bool(call->args, "validate_certs", true))
        str_puts(out, "insecure\n");
    if (!value_get_bool(call->args, "use_proxy", true))
        curl_put(out, "noproxy", "*");
    if (fetch->since)
        curl_put(out, "time-cond", fetch->since);
    if (fetch->most)
        str_printf(out, "max-filesize = %lld\n", fetch->most);
    str_puts(out, reads_netrc(call) ? "netrc-optional\n" : "");
    each_option(call, names, curl_put, out);
    each_header(call, put_curl_header, out);
}

static void put_wget_header(struct str *out, const char *line)
{
    str_printf(out, "header = %s\n", line);
}

static void put_wget_option(struct str *out, const char *name, const char *text)
{
    str_printf(out, "%s = %s\n", name, text);
}

/* As wgetrc: a line each, to its end, unquoted. */
static void wget_config(struct module_call *call, struct str *out)
{
    static const char *const names[] = {"user_agent", "certificate", "private_key", "ciphers"};
    const char *user = value_get_str(call->args, "url_username", NULL);

    str_printf(out, "verbose = off\ntries = 1\ntimeout = %lld\n",
               (long long)value_get_int(call->args, "timeout", 10));
    if (user)
        str_printf(out, "user = %s\npassword = %s\n", user,
                   value_get_str(call->args, "url_password", ""));
    if (!value_get_bool(call->args, "validate_certs", true))
        str_puts(out, "check_certificate = off\n");
    if (!value_get_bool(call->args, "use_proxy", true))
        str_puts(out, "use_proxy = off\n");
    str_puts(out, reads_netrc(call) ? "" : "netrc = off\n");
    each_option(call, names, put_wget_option, out);
    each_header(call, put_wget_header, out);
}

/* The URL comes on standard input, what else may be secret in a file. What was answered is said of
 * the file itself, and of a file of sums when it was bad. */
static void put_fetch(struct module_call *call, const struct fetch *fetch, bool says,
                      struct str *script)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    curl_config(call, fetch, &text);
    str_puts(script, "if command -v curl >/dev/null; then\n");
    curl_put_input(&text, script);
    str_printf(script, "curl -q -K - -o %s >\"$t.rc\" || { cat \"$t.rc\"; exit %d; }\n", fetch->to,
               fetch->failed);
    if (says)
        str_puts(script, "cat \"$t.rc\"\n! grep -qx 'status 304' \"$t.rc\" || exit 0\n");
    str_puts(script, "elif command -v wget >/dev/null; then\n");
    str_clear(&text);
    wget_config(call, &text);
    curl_put_input(&text, script);
    str_puts(script, "(umask 077 && cat >\"$t.rc\")\n");
    str_clear(&text);
    str_printf(&text, "%s\n", fetch->url);
    curl_put_input(&text, script);
    str_printf(script, "wget --config=\"$t.rc\" -i - -O %s || exit %d\n%selse exit %d\nfi\n",
               fetch->to, fetch->failed, says ? "echo status 200\n" : "", STATUS_NO_TOOL);
    str_release(&text);
}

/* The sum of the file into $pgha_sum, from a file of sums as get_url.py reads it: BSD's lines,
 * GNU's lines, or one sum alone. */
static void put_read_sums(struct module_call *call, const struct download *download,
                          struct str *script)
{
    const struct fetch fetch = {
        .url = download->sums, .to = "\"$t.sums\"", .most = MAX_SUMS, .failed = STATUS_NO_SUMS};
    const char *name = url_file_name(call, value_get_str(call->args, "url", ""));

    put_fetch(call, &fetch, false, script);
    str_printf(script,
               "head -c %d \"$t.sums\" | tr -d '\\r' >\"$t.rc\"\n"
               "if [ \"$(wc -w <\"$t.rc\")\" -eq 1 ] && [ \"$(wc -l <\"$t.rc\")\" -le 1 ]\n"
               "then pgha_sum=$(cat \"$t.rc\")\nelse\n"
               "sed -n -E -e 's|^[[:alnum:]_]+ ?\\((.+)\\) ?= ([[:alnum:]_.]+)$|\\2 \\1|p' -e t "
               "-e 's#^([[:alnum:]_.]+)[[:space:]]+(\\*|\\./|\\.)?[./]*(.+)$#\\1 \\3#p' "
               "\"$t.rc\" >\"$t.sums\"\npgha_sum=\n"
               "while IFS=' ' read -r pgha_one pgha_name || [ -n \"$pgha_one\" ]; do\n[ "
               "\"$pgha_name\" != ",
               MAX_SUMS);
    str_put_shell(script, name);
    str_printf(script,
               " ] || { pgha_sum=$pgha_one; break; }\ndone <\"$t.sums\"\n"
               "[ -n \"$pgha_sum\" ] || exit %d\nfi\n"
               "pgha_sum=$(printf %%s \"$pgha_sum\" | tr -cd '[:alnum:]_' | tr A-Z a-z)\n"
               "case $pgha_sum in '' | *[!0-9a-f]*) exit %d ;; esac\n",
               STATUS_NO_SUM, STATUS_NOT_HEX);
}

/* The sum, and what has it already is not fetched. */
static void put_sum(struct module_call *call, const struct download *download, bool exists,
                    struct str *script)
{
    if (download->sums)
        put_read_sums(call, download, script);
    else
        str_printf(script, "pgha_sum=%s\n", download->sum);
    if (exists && !value_get_bool(call->args, "force", false))
        str_printf(script,
                   "pgha_is=$(%ssum <%s)\n"
                   "[ \"${pgha_is%%%% *}\" != \"$pgha_sum\" ] || { echo same; exit 0; }\n",
                   download->algorithm, file_word(call, download->path));
}

/* What was fetched, $t, into the place of the old file, unless it is equal. */
static void put_install(struct module_call *call, const struct download *download,
                        const struct path_state *now, struct str *script)
{
    const char *word = file_word(call, download->path);
    struct file_attributes want = file_attributes_of(call);
    bool exists = now->type != 0;
    struct str steps;

    str_init(&steps, STR_MAX_TEXT);
    if (exists && value_get_bool(call->args, "backup", false))
        file_put_backup(word, &steps);
    file_put_attributes(&want, now, exists, "\"$t\"", &steps);
    if (download->algorithm)
        str_printf(script,
                   "pgha_is=$(%ssum <\"$t\")\n"
                   "[ \"${pgha_is%%%% *}\" = \"$pgha_sum\" ] || exit %d\n",
                   download->algorithm, STATUS_BAD_SUM);
    str_puts(script, "echo \"src $(sha1sum <\"$t\")\"\necho \"md5 $(md5sum <\"$t\")\"\n"
                     "echo \"size $(stat -c %s \"$t\")\"\n");
    if (exists)
        str_printf(script,
                   "echo \"dest $(sha1sum <%s)\"\n"
                   "! cmp -s \"$t\" %s || exit 0\n",
                   word, word);
    str_printf(script, "%s &&\nsync \"$t\" &&\nmv -fT \"$t\" %s &&\necho written", steps.buf, word);
    str_release(&steps);
}

static void put_download(struct module_call *call, const struct download *download,
                         const struct path_state *now, struct str *script)
{
    /* a file that is not what the checksum says is fetched whatever its age */
    bool since =
        now->type == 'f' && !download->algorithm && !value_get_bool(call->args, "force", false);
    const struct fetch fetch = {.url = value_get_str(call->args, "url", ""),
                                .since = since ? download->path : NULL,
                                .to = "\"$t\"",
                                .failed = STATUS_NO_FETCH};

    file_put_temporary(call, download->path, "t", script);
    str_puts(script, " && {\ntrap 'rm -f \"$t\" \"$t.rc\" \"$t.sums\"' EXIT\n");
    if (download->algorithm)
        put_sum(call, download, now->type == 'f', script);
    put_fetch(call, &fetch, true, script);
    put_install(call, download, now, script);
    str_puts(script, "\n}");
}

/* ---- the plan ---- */

/* The state the file will have; its content is known only by its sum. */
static void note_fetched(struct world *world, const struct download *download)
{
    struct path_state *now = world_path(world, download->path);

    if (now->type == 0)
        *now = (struct path_state){.type = 'f', .mode = 0644, .owner = "root", .group = "root"};
    now->content = NULL;
    now->content_asked = true;
    now->sha256 = download->sha256 ? arena_strdup(&world->arena, download->sha256) : NULL;
}

static int check_place(struct module_call *call, struct world *world,
                       const struct download *download, struct err *err)
{
    const char *dir = file_dir(call, download->path);
    char type = world_path(world, download->path)->type;

    if (type != 0 && type != 'f')
        return err_set(err, ERR_CONFLICT, "%s is no regular file", download->path);
    if (world_path(world, dir)->type == 0 && !call->check_mode)
        return err_set(err, ERR_FAILED, "Destination %s does not exist", dir);
    return 0;
}

static const char *same_message(bool adjusted)
{
    return adjusted ? "file already exists but file attributes changed" : "file already exists";
}

/* A file that is there gets its attributes first: the fragment that fetches keeps them. */
static void plan_fetch(struct module_call *call, struct world *world, struct download *download,
                       struct module_plan *out)
{
    struct file_attributes want = file_attributes_of(call);
    struct path_state before = *world_path(world, download->path);
    bool known = download->sha256 != NULL && before.type == 0;

    download->adjusted =
        before.type != 0 && file_attributes_plan(call, world, download->path, &want, out);
    before = *world_path(world, download->path);
    put_download(call, download, &before, &out->script);
    note_fetched(world, download);
    if (before.type == 0)
        file_note_attributes(world, download->path, &want);
    plan_say(call, out, before.type == 0 ? "fetched" : "fetched, where it differs");
    out->kind = known ? PLAN_CHANGE : PLAN_OPAQUE;
    out->captures = true;
    out->timeout_ms = (MAX_SECONDS + 60) * 1000;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    struct download *download = call->own;
    struct file_attributes want = file_attributes_of(call);
    const struct path_state *now;

    out->kind = PLAN_OK;
    download->path =
        file_is_folder(world_path(world, download->dest)) ? download->inside : download->dest;
    now = world_path(world, download->path);
    if (check_place(call, world, download, err) < 0)
        return -1;
    plan_result_str(call, out, "url", value_get_str(call->args, "url", ""));
    if (download->sha256 && str_eq(now->sha256, download->sha256) &&
        !value_get_bool(call->args, "force", false)) {
        if (file_attributes_plan(call, world, download->path, &want, out))
            out->kind = PLAN_CHANGE;
        plan_result_str(call, out, "msg", same_message(out->kind != PLAN_OK));
    } else {
        plan_fetch(call, world, download, out);
    }
    file_result(call, world, "dest", download->path, out);
    return 0;
}

/* ---- what came of it ---- */

/* The word after `name` at the begin of a line; NULL. */
static const char *said(struct module_call *call, const char *out, const char *name)
{
    for (const char *line = out; *line;
         line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        size_t len = strlen(name);

        if (strncmp(line, name, len) == 0 && strchr(" \n", line[len])) {
            const char *word = line + len + strspn(line + len, " ");

            return arena_strndup(call->arena, word, strcspn(word, " \n"));
        }
    }
    return NULL;
}

/* Without the newline at its end. */
static const char *trimmed(struct module_call *call, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        len--;
    return arena_strndup(call->arena, text, len);
}

static const char *failure(struct module_call *call, int rc, const char *errout)
{
    if (rc == STATUS_NO_TOOL)
        return "the host has neither curl nor wget";
    if (rc == STATUS_BAD_SUM)
        return arena_printf(call->arena, "The checksum of what was fetched did not match %s",
                            value_get_str(call->args, "checksum", ""));
    if (rc == STATUS_NO_SUM)
        return arena_printf(call->arena, "Unable to find a checksum for file '%s' in '%s'",
                            url_file_name(call, value_get_str(call->args, "url", "")),
                            strchr(value_get_str(call->args, "checksum", ":"), ':') + 1);
    if (rc == STATUS_NOT_HEX)
        return "The checksum format is invalid";
    if (rc == STATUS_NO_FETCH || rc == STATUS_NO_SUMS)
        return arena_printf(call->arena, "Request failed: %s", trimmed(call, errout));
    return *errout ? trimmed(call, errout) : "could not be written";
}

static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    const struct download *download = call->own;
    const char *status = said(call, out, "status"), *size = said(call, out, "size");

    if (status && !str_eq(status, "000")) /* curl had no answer */
        plan_result_int(call, done, "status_code", strtoll(status, NULL, 10));
    if (size)
        plan_result_int(call, done, "size", strtoll(size, NULL, 10));
    plan_result_str(call, done, "checksum_src", said(call, out, "src"));
    plan_result_str(call, done, "checksum_dest", said(call, out, "dest"));
    plan_result_str(call, done, "md5sum", said(call, out, "md5"));
    if (rc != 0) {
        plan_result_bool(call, done, "failed", true);
        plan_result_str(call, done, "msg", failure(call, rc, errout));
        if (rc == STATUS_NO_SUMS)
            plan_result_str(call, done, "url", download->sums);
        return;
    }
    if (said(call, out, "same"))
        plan_result_str(call, done, "msg", same_message(download->adjusted));
    else
        plan_result_str(call, done, "msg", said(call, out, "written") ? "OK" : "file is as it was");
    plan_result_bool(call, done, "changed", download->adjusted || said(call, out, "written"));
}

const struct module module_get_url = {
    .name = "get_url",
    .help = "Lets the host fetch a file.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
