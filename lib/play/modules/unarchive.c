/*
 * unarchive.c - module unarchive: a tar archive, of this machine or of the host, unpacked on the
 * host.
 *
 * The host's GNU tar looks and unpacks. As Ansible has it, an archive is unpacked already when
 * `tar --diff` finds every member in its place and of its age, and of its owner, group and mode
 * where the task does not say others.
 */
#include "lib/play/filechange.h"

#define ARCHIVE_MAX_BYTES ((size_t)64 << 20)

enum { UNPACK_MS = 600000 };
/* Of the fragment. */
enum { STATUS_UNREADABLE = 91, STATUS_EMPTY, STATUS_ZIP, STATUS_NO_ARCHIVE, STATUS_FAILED };

static const struct module_arg args[] = {
    {"src", ARG_PATH, true, NULL, NULL, NULL,
     "A tar archive, compressed or not, of this machine, looked up in files/, or with remote_src "
     "of "
     "the host; no zip"},
    {"dest", ARG_PATH, true, NULL, NULL, NULL, "Folder that is there"},
    {"remote_src", ARG_BOOL, false, NULL, NULL, NULL, "src is a file of the host"},
    {"copy", ARG_BOOL, false, NULL, NULL, NULL, "The old name for the contrary of remote_src"},
    {"creates", ARG_PATH, false, NULL, NULL, NULL, "Nothing is done when this path exists"},
    {"list_files", ARG_BOOL, false, "no", NULL, NULL, "Return the members as files"},
    {"exclude", ARG_LIST, false, NULL, NULL, NULL, "Members that are left out"},
    {"include", ARG_LIST, false, NULL, NULL, NULL, "The members that are wanted; instead of all"},
    {"keep_newer", ARG_BOOL, false, "no", NULL, NULL, "Leave files that are newer than theirs"},
    {"extra_opts", ARG_LIST, false, NULL, NULL, NULL, "Further options of tar"},
    FILE_ATTRIBUTE_ARGS,
    {"decrypt", ARG_BOOL, false, "yes", NULL, NULL,
     "no: a file of ansible-vault is taken as it is; with yes it is an error"},
    {"validate_certs", ARG_BOOL, false, "yes", NULL, NULL, "Accepted: nothing is fetched"},
    {"io_buffer_size", ARG_INT, false, NULL, NULL, NULL, "Accepted, without effect"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct archive {
    const char *src; /* as the task has it */
    const char *from, *dest, *creates;
    const char *data; /* of this machine's; NULL: from is on the host */
    size_t len;
};

static bool is_remote(const struct module_call *call)
{
    return value_get(call->args, "copy") ? !value_get_bool(call->args, "copy", true)
                                         : value_get_bool(call->args, "remote_src", false);
}

static int check(const struct module_call *call, struct err *err)
{
    if (value_get(call->args, "copy") && value_get(call->args, "remote_src"))
        return err_set(err, ERR_INPUT, "parameters are mutually exclusive: copy|remote_src");
    if (value_get(call->args, "include") && value_get(call->args, "exclude"))
        return err_set(err, ERR_INPUT, "parameters are mutually exclusive: include|exclude");
    if (is_remote(call) && strstr(value_get_str(call->args, "src", ""), "://"))
        return err_set(err, ERR_INPUT, "unarchive: fetch it with get_url before");
    return 0;
}

static int read_archive(struct module_call *call, struct archive *archive, struct err *err)
{
    const char *path;
    struct str data;
    int rc;

    str_init(&data, ARCHIVE_MAX_BYTES);
    rc = file_source(call, archive->src, &data, &path, err);
    if (rc == 0) {
        archive->data = arena_strndup(call->arena, data.buf, data.len);
        archive->len = data.len;
    }
    str_release(&data);
    return rc;
}

static void add_path(const char *path, need_add *add, void *ctx)
{
    struct need need = {.kind = NEED_PATH, .name = path};

    add(ctx, &need);
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct archive *archive = arena_new(call->arena, struct archive);
    const char *creates = value_get_str(call->args, "creates", NULL);

    if (check(call, err) < 0)
        return -1;
    archive->src = value_get_str(call->args, "src", "");
    archive->dest =
        file_follow(call, file_clean_path(call, value_get_str(call->args, "dest", "")), add, ctx);
    add_path(archive->dest, add, ctx);
    if (creates)
        add_path(archive->creates = file_clean_path(call, creates), add, ctx);
    if (is_remote(call))
        add_path(archive->from = file_follow(call, file_clean_path(call, archive->src), add, ctx),
                 add, ctx);
    else if (read_archive(call, archive, err) < 0)
        return -1;
    call->own = archive;
    return 0;
}

/* ---- the fragment ---- */

static void put_list(struct module_call *call, const char *name, const char *before,
                     struct str *script)
{
    const struct value *list = value_get(call->args, name);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        const char *item = list->u.list.items[i]->u.str.s;
        size_t len = strlen(item);

        while (str_eq(name, "exclude") && len > 1 && item[len - 1] == '/')
            len--;
        str_printf(script, " %s", before);
        str_put_shell(script, arena_strndup(call->arena, item, len));
    }
}

/* pgha_tar MODE: tar over the archive, with all that the task says. */
static void put_tar(struct module_call *call, struct str *script)
{
    static const char *const names[] = {"owner", "group"};

    str_puts(script, "pgha_tar() { LC_ALL=C tar \"$@\"");
    if (value_get(call->args, "extra_opts"))
        str_puts(script, " --show-transformed-names");
    put_list(call, "extra_opts", "", script);
    put_list(call, "exclude", "--exclude=", script);
    str_puts(script, " -f \"$a\"");
    put_list(call, "include", "", script);
    str_puts(script, "; }\npgha_owned() { pgha_tar \"$@\"");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *name = value_get_str(call->args, names[i], NULL);

        if (!name)
            continue;
        str_printf(script, " --%s=", names[i]);
        str_put_shell(script, name);
    }
    if (value_get_bool(call->args, "keep_newer", false))
        str_puts(script, " --keep-newer-files");
    str_puts(script, "; }\n");
}

static void put_source(struct module_call *call, const struct archive *archive, struct str *script)
{
    if (!archive->data) {
        str_printf(script, "a=%s\n", file_word(call, archive->from));
    } else {
        file_put_temporary(call, "/tmp/archive", "a", script);
        str_puts(script, " || exit\ntrap 'rm -f \"$a\"' EXIT\n"
                         "base64 -d >\"$a\" <<'PGHA_END' || exit\n");
        str_put_base64(script, archive->data, archive->len);
        str_puts(script, "\nPGHA_END\n");
    }
    str_printf(script,
               "[ -r \"$a\" ] || exit %d\n[ -s \"$a\" ] || exit %d\n"
               "case $(head -c 4 \"$a\" | od -An -tx1 | tr -d ' \\n') in\n"
               "504b*) exit %d ;;\n1f8b*) echo handler TgzArchive ;;\n"
               "425a68*) echo handler TarBzipArchive ;;\nfd377a58) echo handler TarXzArchive ;;\n"
               "28b52ffd) echo handler TarZstdArchive ;;\n*) echo handler TarArchive ;;\nesac\n",
               STATUS_UNREADABLE, STATUS_EMPTY, STATUS_ZIP);
}

/* Lines of tar --diff that count, for grep -E. */
static void put_pattern(struct module_call *call, struct str *script)
{
    str_puts(script, "': Mod time differs$|: Warning: Cannot stat: No such file or directory$|"
                     ": Invalid (owner|group)|: Symlink differs$|: Contents differ$|"
                     ": Size differs$");
    if (!value_get(call->args, "owner"))
        str_puts(script, "|: Uid differs$");
    if (!value_get(call->args, "group"))
        str_puts(script, "|: Gid differs$");
    if (!value_get(call->args, "mode"))
        str_puts(script, "|: Mode differs$");
    str_puts(script, "'");
}

/* Owner, group and mode of every member, and of the folders they are below. */
static void put_attributes(struct module_call *call, struct str *script)
{
    const struct file_attributes want = file_attributes_of(call);

    if (!want.mode && !want.owner && !want.group)
        return;
    str_puts(script,
             "{ printf '%s\\n' \"$files\"; printf '%s\\n' \"$files\" | grep / | cut -d/ -f1 | "
             "sort -u; } | while IFS= read -r f; do\n"
             "f=./${f#/}\nwas=$(stat -c '%u:%g:%a' \"$f\") || exit\n");
    if (want.owner || want.group) {
        str_puts(script, "chown -h ");
        str_put_shell(script, arena_printf(call->arena, "%s%s%s", want.owner ? want.owner : "",
                                           want.group ? ":" : "", want.group ? want.group : ""));
        str_puts(script, " \"$f\" || exit\n");
    }
    if (want.mode) {
        bool octal = strspn(want.mode, "01234567") == strlen(want.mode);

        str_puts(script, "[ -L \"$f\" ] || chmod -- ");
        /* five digits: a folder's bits for user and group, too */
        str_put_shell(script, octal
                                  ? arena_printf(call->arena, "%05ld", strtol(want.mode, NULL, 10))
                                  : want.mode);
        str_puts(script, " \"$f\" || exit\n");
    }
    str_puts(script, "[ \"$was\" = \"$(stat -c '%u:%g:%a' \"$f\")\" ] || echo adjusted\n"
                     "done || exit\n");
}

static void put_script(struct module_call *call, const struct archive *archive, struct str *script)
{
    put_source(call, archive, script);
    put_tar(call, script);
    str_printf(script,
               "cd %s || exit\n"
               "files=$(pgha_tar --list --quoting-style=literal) && [ -n \"$files\" ] || exit %d\n"
               "if pgha_owned --diff 2>&1 | grep -v ': : Warning: ' | grep -Eq ",
               file_word(call, archive->dest), STATUS_NO_ARCHIVE);
    put_pattern(call, script);
    str_printf(script, "; then\npgha_owned --extract >/dev/null || exit %d\necho changed\nfi\n",
               STATUS_FAILED);
    put_attributes(call, script);
    if (value_get_bool(call->args, "list_files", false))
        str_puts(script, "printf '%s\\n' \"$files\" | sed 's|^/||; s|^|file |'\n");
    str_puts(script, ":");
}

/* ---- the plan ---- */

static int skip(struct module_call *call, struct module_plan *out, const char *why)
{
    out->kind = PLAN_SKIP;
    out->msg = why;
    plan_result_str(call, out, "msg", why);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct archive *archive = call->own;
    const char *dest = value_get_str(call->args, "dest", "");

    UNUSED(err);
    if (archive->creates && file_is_there(world_path(world, archive->creates))) {
        return skip(call, out,
                    arena_printf(call->arena, "skipped, since %s exists",
                                 value_get_str(call->args, "creates", "")));
    }
    if (!file_is_folder(world_path(world, archive->dest)))
        return plan_fail(call, out, "dest '%s' must be an existing dir", dest);
    if (archive->from && world_path(world, archive->from)->type == 0)
        return plan_fail(call, out, "Source '%s' does not exist", archive->src);
    if (call->check_mode)
        return skip(call, out,
                    "remote module (ansible.legacy.unarchive) does not support check mode when "
                    "using gtar");
    put_script(call, archive, &out->script);
    out->kind = PLAN_OPAQUE;
    out->captures = true;
    out->timeout_ms = UNPACK_MS;
    plan_say(call, out, "unpacked, where it differs");
    file_result(call, world, "dest", file_clean_path(call, dest), out);
    plan_result_str(call, out, "dest", dest);
    plan_result_str(call, out, "src", archive->src);
    return 0;
}

/* ---- what came of it ---- */

static const char *failure(struct module_call *call, int rc, const char *errout)
{
    const char *src = value_get_str(call->args, "src", "");

    switch (rc) {
    case STATUS_UNREADABLE:
        return arena_printf(call->arena, "Source '%s' not readable", src);
    case STATUS_EMPTY:
        return arena_printf(call->arena, "Invalid archive '%s', the file is 0 bytes", src);
    case STATUS_ZIP:
        return arena_printf(call->arena,
                            "%s is a zip archive, which is not supported: use command: unzip", src);
    case STATUS_NO_ARCHIVE:
        return arena_printf(call->arena, "Failed to find handler for \"%s\": tar: %s", src,
                            *errout ? errout : "no files in archive");
    case STATUS_FAILED:
        return arena_printf(call->arena, "failed to unpack %s to %s: %s", src,
                            value_get_str(call->args, "dest", ""), errout);
    default:
        return arena_printf(call->arena, "Unexpected error when accessing exploded file: %s",
                            errout);
    }
}

static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    struct value *files = value_list(call->arena);
    bool changed = false;

    for (const char *line = out; *line;) {
        size_t len = strcspn(line, "\n");
        const char *text = arena_strndup(call->arena, line, len);

        if (str_starts(text, "handler "))
            plan_result_str(call, done, "handler", text + strlen("handler "));
        else if (str_starts(text, "file "))
            value_list_add(call->arena, files, value_str(call->arena, text + strlen("file ")));
        changed |= str_eq(text, "changed") || str_eq(text, "adjusted");
        line += len + (line[len] == '\n');
    }
    if (value_get_bool(call->args, "list_files", false))
        value_map_set(call->arena, plan_result(call, done), "files", files);
    if (rc != 0) {
        plan_result_bool(call, done, "failed", true);
        plan_result_str(call, done, "msg", failure(call, rc, errout));
        return;
    }
    plan_result_bool(call, done, "changed", changed);
}

const struct module module_unarchive = {
    .name = "unarchive",
    .help = "Unpacks a tar archive on the host.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
