/*
 * mounts.c - the kernel's list of mounts. What the source of a bind mount is, the list does not
 * say: it is worked out as Ansible's mount module does, so that both agree on what is mounted.
 */
#include "lib/play/mounts.h"
#include "lib/base/vec.h"

struct mount_line {
    const char *id, *parent, *device, *root, *point, *source;
};

/* Spaces, tabs, newlines and backslashes are written as \ooo. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* id parent device root point options [tags ...] - type source options */
static bool parse_line(char *text, struct mount_line *line)
{
    char *rest = text, *words[6], *tail = strstr(text, " - ");

    if (!tail)
        return false;
    *tail = '\0';
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!(words[i] = strsep(&rest, " ")))
            return false;
    tail += strlen(" - ");
    strsep(&tail, " ");
    *line = (struct mount_line){words[0], words[1], words[2],
                                words[3], words[4], tail ? strsep(&tail, " ") : ""};
    unescape(words[3]);
    unescape(words[4]);
    return true;
}

/* Of a bind mount: the folder's path where the device it is on is mounted. */
static const char *source_of(struct arena *a, const struct mount_line *mount,
                             const struct mount_line *parent)
{
    const char *root = mount->root;
    size_t len;

    if (!parent || str_eq(mount->parent, "1"))
        return mount->source;
    len = strlen(parent->root);
    if (len > 1 && strncmp(root, parent->root, len) == 0 && root[len] == '/')
        root += len;
    return str_eq(parent->point, "/") ? root : arena_printf(a, "%s%s", parent->point, root);
}

void mounts_read(struct arena *a, const char *text, size_t len, struct map *mounts)
{
    VEC(struct mount_line) lines = VEC_INIT;
    char *rest = arena_strndup(a, text, len), *next;

    while ((next = strsep(&rest, "\n"))) {
        struct mount_line line;

        if (parse_line(next, &line))
            vec_push(&lines, line);
    }
    vec_each (line, &lines) {
        struct mount_state *state = map_get(mounts, line->point);
        const struct mount_line *parent = NULL;

        if (!state)
            continue;
        vec_each (other, &lines) {
            if (str_eq(other->id, line->parent))
                parent = other;
        }
        *state = (struct mount_state){
            .mounted = true,
            .own_device = parent && !str_eq(parent->device, line->device),
            .source = source_of(a, line, parent),
        };
    }
    vec_release(&lines);
}
