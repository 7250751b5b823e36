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
     "sha256:HEX. A file that has it is not fetched; what is fetched must have it"},
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

struct download {
    const char *dest;   /* as given, clean */
    const char *inside; /* below dest, should that be a folder */
    const char *sha256; /* NULL: no checksum */
    const char *path;   /* plan: where it goes */
    bool adjusted;      /* plan: its owner or mode changes, whatever is fetched */
};

/* ---- what is asked for ---- */

static int parse_checksum(struct module_call *call, struct download *download, struct err *err)
{
    const char *text = value_get_str(call->args, "checksum", "");
    struct str hex;
    int rc = 0;

    if (!*text)
        return 0;
    if (!str_starts(text, "sha256:"))
        return err_set(
            err, ERR_INPUT,
            "get_url: checksum must be sha256:HEX, not '%.40s': fetch a file of sums in a "
            "task of its own",
            text);
    str_init(&hex, STR_MAX_TEXT);
    for (const char *p = text + strlen("sha256:"); *p; p++)
        if (!isspace((unsigned char)*p))
            str_putc(&hex, (char)tolower((unsigned char)*p));
    if (hex.len != SHA256_HEX_SIZE - 1 || strspn(hex.buf, "0123456789abcdef") != hex.len)
        rc = err_set(err, ERR_INPUT, "The checksum format is invalid");
    download->sha256 = arena_strdup(call->arena, hex.buf);
    str_release(&hex);
    return rc;
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

/* since: only what is newer than this file; NULL: in any case. */
static void curl_config(struct module_call *call, const char *since, struct str *out)
{
    static const char *const names[] = {"user-agent", "cert", "key", "ciphers"};
    const char *user = value_get_str(call->args, "url_username", NULL);
    long long timeout = value_get_int(call->args, "timeout", 10);

    curl_put(out, "url", value_get_str(call->args, "url", ""));
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
    if (since)
        curl_put(out, "time-cond", since);
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

/* Fetches into $t. The URL comes on standard input, what else may be secret in a file. */
static void put_fetch(struct module_call *call, const char *since, struct str *script)
{
    const char *url = value_get_str(call->args, "url", "");
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    curl_config(call, since, &text);
    str_puts(script, "if command -v curl >/dev/null; then\n");
    curl_put_input(&text, script);
    str_printf(script,
               "curl -q -K - -o \"$t\" >\"$t.rc\" || { cat \"$t.rc\"; exit %d; }\n"
               "cat \"$t.rc\"\n"
               "! grep -qx 'status 304' \"$t.rc\" || exit 0\n",
               STATUS_NO_FETCH);
    str_puts(script, "elif command -v wget >/dev/null; then\n");
    str_clear(&text);
    wget_config(call, &text);
    curl_put_input(&text, script);
    str_puts(script, "(umask 077 && cat >\"$t.rc\")\n");
    str_clear(&text);
    str_printf(&text, "%s\n", url);
    curl_put_input(&text, script);
    str_printf(script,
               "wget --config=\"$t.rc\" -i - -O \"$t\" || exit %d\necho status 200\n"
               "else exit %d\nfi\n",
               STATUS_NO_FETCH, STATUS_NO_TOOL);
    str_release(&text);
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
    if (download->sha256)
        str_printf(script, "[ \"$(sha256sum <\"$t\")\" = '%s  -' ] || exit %d\n", download->sha256,
                   STATUS_BAD_SUM);
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
        now->type == 'f' && !download->sha256 && !value_get_bool(call->args, "force", false);

    file_put_temporary(call, download->path, "t", script);
    str_puts(script, " && {\ntrap 'rm -f \"$t\" \"$t.rc\"' EXIT\n");
    put_fetch(call, since ? download->path : NULL, script);
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
        plan_result_str(call, out, "msg",
                        out->kind == PLAN_OK ? "file already exists"
                                             : "file already exists but file attributes changed");
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
    if (rc == STATUS_NO_FETCH)
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
        return;
    }
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
