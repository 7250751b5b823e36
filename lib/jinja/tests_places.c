/*
 * tests_places.c - tests of paths on the machine that runs the playbook, and of URLs.
 */
#include <strings.h>
#include <sys/stat.h>

#include "lib/jinja/eval.h"
#include "lib/jinja/url.h"

/* ---- paths ---------------------------------------------------------------------------------- */

/* 1: it is there; 0: it is not. */
static int look_at(struct evaluator *ev, const struct value *in, bool follow, struct stat *out)
{
    const struct jinja_controller *controller = ev->scope->controller;

    if (!controller)
        return ev_error(ev, "this test needs a playbook: there are no files here");
    if (in->type != VALUE_STR)
        return ev_error(ev, "a path must be a string, not %s", python_type(in));
    return controller->stat(controller->data, in->u.str.s, follow, out) == 0;
}

static int has_type(struct evaluator *ev, const struct value *in, bool follow, mode_t type)
{
    struct stat st = {0};
    int there = look_at(ev, in, follow, &st);

    return there <= 0 ? there : (st.st_mode & S_IFMT) == type;
}

static int test_exists(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct stat st = {0};

    UNUSED(c);
    return look_at(ev, in, true, &st);
}

static int test_link_exists(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct stat st = {0};

    UNUSED(c);
    return look_at(ev, in, false, &st);
}

static int test_file(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return has_type(ev, in, true, S_IFREG);
}

static int test_directory(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return has_type(ev, in, true, S_IFDIR);
}

static int test_link(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return has_type(ev, in, false, S_IFLNK);
}

static int test_abs(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    if (in->type != VALUE_STR)
        return ev_error(ev, "a path must be a string, not %s", python_type(in));
    return in->u.str.s[0] == '/';
}

static int test_same_file(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct stat a = {0}, b = {0};
    int there = look_at(ev, in, true, &a);

    if (there > 0)
        there = look_at(ev, c->arg[0], true, &b);
    if (there == 0)
        return ev_error(ev, "same_file: a file is not there");
    return there < 0 ? -1 : a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* os.path.ismount: on another device than the folder above, or the root itself. */
static int test_mount(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct stat here = {0}, above = {0};
    int there = look_at(ev, in, false, &here);

    UNUSED(c);
    if (there <= 0 || S_ISLNK(here.st_mode))
        return there < 0 ? -1 : 0;
    there = look_at(ev, value_strf(ev->arena, "%s/..", in->u.str.s), false, &above);
    return there <= 0 ? there : here.st_dev != above.st_dev || here.st_ino == above.st_ino;
}

/* ---- URLs ----------------------------------------------------------------------------------- */

static int has_scheme(struct evaluator *ev, const struct value *in, const struct value *schemes,
                      struct url *url)
{
    const struct value *scheme;

    if (in->type != VALUE_STR)
        return 0;
    url_split(in->u.str.s, url);
    if (!schemes || !jinja_truth(schemes))
        return 1;
    scheme = text_case(ev, value_strn(ev->arena, url->scheme.text, url->scheme.len), CASE_LOWER);
    return scheme ? ev_contains(ev, schemes, scheme) : -1;
}

static int test_uri(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct url url;

    return has_scheme(ev, in, c->arg[0], &url);
}

static int test_url(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct url url;
    int fits = has_scheme(ev, in, c->arg[0], &url);

    return fits <= 0 ? fits
                     : url.netloc.len > 0 ||
                           (url.scheme.len == 4 && strncasecmp(url.scheme.text, "file", 4) == 0);
}

static int test_urn(struct evaluator *ev, const struct value *in, const struct call *c)
{
    struct url url;

    UNUSED(ev);
    UNUSED(c);
    if (in->type != VALUE_STR)
        return 0;
    url_split(in->u.str.s, &url);
    return url.scheme.len == 3 && strncasecmp(url.scheme.text, "urn", 3) == 0;
}

static const struct test rows[] = {
    {"abs", "", 0, 0, test_abs, "the path is absolute"},
    {"directory", "", 0, 0, test_directory, "it is a folder of this machine"},
    {"exists", "", 0, 0, test_exists, "the path is there on this machine"},
    {"file", "", 0, 0, test_file, "it is a file of this machine"},
    {"is_abs", "", 0, 0, test_abs, "the path is absolute"},
    {"is_dir", "", 0, 0, test_directory, "it is a folder of this machine"},
    {"is_file", "", 0, 0, test_file, "it is a file of this machine"},
    {"is_link", "", 0, 0, test_link, "it is a symbolic link of this machine"},
    {"is_mount", "", 0, 0, test_mount, "something is mounted there on this machine"},
    {"is_same_file", "other", 1, 0, test_same_file, "both are the same file of this machine"},
    {"link", "", 0, 0, test_link, "it is a symbolic link of this machine"},
    {"link_exists", "", 0, 0, test_link_exists, "the path, or a link to nowhere, is there"},
    {"mount", "", 0, 0, test_mount, "something is mounted there on this machine"},
    {"same_file", "other", 1, 0, test_same_file, "both are the same file of this machine"},
    {"uri", "schemes", 0, 0, test_uri, "it is a URI, of one of these schemes"},
    {"url", "schemes", 0, 0, test_url, "it is a URL with a host, or of a file"},
    {"urn", "", 0, 0, test_urn, "it is a URN"},
};

const struct test_table tests_places = {rows, ARRAY_LEN(rows)};
