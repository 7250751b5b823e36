/*
 * stat.c - module stat: what is known of a path, from the probe.
 *
 * Of Ansible's keys those that the probe does not ask for are missing (inode, nlink, times other
 * than mtime, mimetype): using one is an error of the template, never a wrong value. The probe sums
 * with SHA-256 only, so `checksum` is there with checksum_algorithm: sha256.
 */
#include "lib/play/filechange.h"

static const struct module_arg args[] = {
    {"path", ARG_PATH, true, NULL, NULL, "dest|name", "The path"},
    {"get_checksum", ARG_BOOL, false, "yes", NULL, NULL, "Return checksum"},
    {"checksum_algorithm", ARG_STR, false, "sha1", "md5|sha1|sha224|sha256|sha384|sha512",
     "checksum|checksum_algo", "checksum is returned with sha256 only"},
    {"get_mime", ARG_BOOL, false, "no", NULL, "mime|mime_type|mime-type",
     "Accepted, without effect"},
    {"get_attributes", ARG_BOOL, false, "no", NULL, "attr|attributes", "Accepted, without effect"},
    {"follow", ARG_BOOL, false, "no", NULL, NULL, "Of a link: what it leads to"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct need need = {.kind = NEED_PATH};

    UNUSED(err);
    need.name = file_clean_path(call, value_get_str(call->args, "path", ""));
    if (value_get_bool(call->args, "follow", false))
        need.name = file_follow(call, need.name, add, ctx);
    else
        add(ctx, &need);
    call->own = (void *)need.name;
    return 0;
}

static void set_bool(struct arena *a, struct value *map, const char *key, bool b)
{
    value_map_set(a, map, key, value_bool(a, b));
}

static void set_mode_bits(struct arena *a, struct value *map, unsigned mode)
{
    static const struct {
        const char *key;
        unsigned bit;
    } bits[] = {{"rusr", 0400}, {"wusr", 0200},   {"xusr", 0100},  {"rgrp", 0040},
                {"wgrp", 0020}, {"xgrp", 0010},   {"roth", 0004},  {"woth", 0002},
                {"xoth", 0001}, {"isuid", 04000}, {"isgid", 02000}};

    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        set_bool(a, map, bits[i].key, mode & bits[i].bit);
}

static void describe(struct module_call *call, const struct path_state *now, struct value *map)
{
    struct arena *a = call->arena;
    bool sha256 = str_eq(value_get_str(call->args, "checksum_algorithm", ""), "sha256") &&
                  value_get_bool(call->args, "get_checksum", true);

    value_map_set(a, map, "path", value_str(a, value_get_str(call->args, "path", "")));
    value_map_set(a, map, "mode", value_strf(a, "%04o", now->mode));
    set_bool(a, map, "isreg", now->type == 'f');
    set_bool(a, map, "isdir", now->type == 'd');
    set_bool(a, map, "islnk", now->type == 'l');
    set_mode_bits(a, map, now->mode);
    value_map_set(a, map, "uid", value_int(a, now->uid));
    value_map_set(a, map, "gid", value_int(a, now->gid));
    value_map_set(a, map, "size", value_int(a, now->size));
    value_map_set(a, map, "mtime", value_float(a, now->mtime));
    if (now->owner)
        value_map_set(a, map, "pw_name", value_str(a, now->owner));
    if (now->group)
        value_map_set(a, map, "gr_name", value_str(a, now->group));
    if (now->type == 'l' && now->link)
        value_map_set(a, map, "lnk_target", value_str(a, now->link));
    if (now->type == 'f' && now->sha256 && sha256)
        value_map_set(a, map, "checksum", value_str(a, now->sha256));
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct path_state *now = world_path(world, call->own);
    struct value *map = value_map(call->arena);

    UNUSED(err);
    out->kind = PLAN_OK;
    set_bool(call->arena, map, "exists", now->type != 0);
    if (now->type != 0)
        describe(call, now, map);
    value_map_set(call->arena, plan_result(call, out), "stat", map);
    return 0;
}

const struct module module_stat = {
    .name = "stat",
    .help = "Returns what a path is, as stat.exists, stat.isdir, stat.mode, ...",
    .args = args,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
