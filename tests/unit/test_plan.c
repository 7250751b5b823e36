/*
 * test_plan.c - fake kinds that write down their calls; every call made to fail in turn.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/plan/plan.h"

/* ---- a cloud that is a list of calls ---- */

struct world {
    pthread_mutex_t lock;
    struct str calls; /* "create host.a\n" in the order they began */
    int n;
    int fail_at;      /* the call with this number fails; 0: none */
    const char *fail; /* this one fails; NULL: none */
    struct value *(*actual)(struct resource *r);
    pthread_barrier_t *meet; /* every create waits here */
    int running, most_running;
};

static struct world world;

static void world_reset(void)
{
    str_release(&world.calls);
    memset(&world, 0, sizeof(world));
    pthread_mutex_init(&world.lock, NULL);
    str_init(&world.calls, STR_MAX_TEXT);
}

static int record(const char *verb, const struct resource *r, struct err *err)
{
    char *text = xasprintf("%s %s.%s", verb, r->kind->name, r->name);
    bool fails;

    pthread_mutex_lock(&world.lock);
    str_printf(&world.calls, "%s\n", text);
    fails = ++world.n == world.fail_at || str_eq(world.fail, text);
    pthread_mutex_unlock(&world.lock);
    free(text);
    return fails ? err_set(err, ERR_REMOTE, "boom") : 0;
}

static int fake_read(void *provider, struct resource *r, struct err *err)
{
    assert_ptr_equal(provider, &world);
    if (world.actual)
        r->actual = world.actual(r);
    return record("read", r, err);
}

static void enter(int by)
{
    pthread_mutex_lock(&world.lock);
    world.running += by;
    if (world.running > world.most_running)
        world.most_running = world.running;
    pthread_mutex_unlock(&world.lock);
}

static int fake_create(void *provider, struct resource *r, struct err *err)
{
    UNUSED(provider);
    if (record("create", r, err) < 0)
        return -1;
    enter(1);
    if (world.meet)
        pthread_barrier_wait(world.meet);
    enter(-1);
    r->actual = value_copy(r->arena, r->desired);
    value_map_set(r->arena, r->actual, "id", value_strf(r->arena, "id-%s", r->name));
    return 0;
}

static int fake_update(void *provider, struct resource *r, struct err *err)
{
    UNUSED(provider);
    assert_non_null(r->actual);
    if (record("update", r, err) < 0)
        return -1;
    r->actual = value_merge(r->arena, r->actual, r->desired);
    return 0;
}

static int fake_destroy(void *provider, struct resource *r, struct err *err)
{
    UNUSED(provider);
    return record("destroy", r, err);
}

static int fake_wait(void *provider, struct resource *r, struct err *err)
{
    UNUSED(provider);
    if (record("wait", r, err) < 0)
        return -1;
    value_map_set(r->arena, r->actual, "ready", value_bool(r->arena, true));
    return 0;
}

static const struct attr attrs[] = {{"size", 0}, {"address", ATTR_REPLACE}, {"id", ATTR_COMPUTED},
                                    {"tags", 0}, {"running", ATTR_REACH},   {NULL, 0}};
static const struct resource_kind net_kind = {.name = "net",
                                              .attrs = attrs,
                                              .read = fake_read,
                                              .create = fake_create,
                                              .destroy = fake_destroy};
static const struct resource_kind host_kind = {.name = "host",
                                               .attrs = attrs,
                                               .read = fake_read,
                                               .create = fake_create,
                                               .update = fake_update,
                                               .destroy = fake_destroy,
                                               .wait = fake_wait};

/* ---- a store that counts ---- */

struct store {
    struct plan_store base;
    struct str saves;
    int n, fail_at, busy;
};

static int store_save(struct plan_store *base, const struct plan *p, const struct resource *r,
                      bool began, struct err *err)
{
    struct store *store = (struct store *)base;
    struct arena a;

    assert_int_equal(store->busy++, 0); /* never two at once */
    arena_init(&a);
    assert_non_null(plan_to_value(p, &a)); /* looks at every resource, as a real one does */
    arena_release(&a);
    str_printf(&store->saves, "%s %s.%s%s\n", began ? "began" : "ended", r->kind->name, r->name,
               r->actual ? "" : " absent");
    store->busy--;
    return ++store->n == store->fail_at ? err_set(err, ERR_IO, "disk full") : 0;
}

static void store_init(struct store *store)
{
    memset(store, 0, sizeof(*store));
    store->base.save = store_save;
    str_init(&store->saves, STR_MAX_TEXT);
}

/* ---- helpers ---- */

static struct resource *add(struct plan *p, const struct resource_kind *kind, const char *name,
                            int64_t size, const char *address)
{
    struct resource *r = plan_add(p, kind, name);

    r->desired = value_map(r->arena);
    value_map_set(r->arena, r->desired, "size", value_int(r->arena, size));
    value_map_set(r->arena, r->desired, "address", value_str(r->arena, address));
    return r;
}

static struct value *same_as_desired(struct resource *r)
{
    struct value *actual = r->desired ? value_copy(r->arena, r->desired) : value_map(r->arena);

    value_map_set(r->arena, actual, "id", value_str(r->arena, "old-id"));
    return actual;
}

static struct value *another_address(struct resource *r)
{
    struct value *actual = same_as_desired(r);

    value_map_set(r->arena, actual, "address", value_str(r->arena, "old"));
    return actual;
}

static struct value *another_size(struct resource *r)
{
    struct value *actual = same_as_desired(r);

    value_map_set(r->arena, actual, "size", value_int(r->arena, 99));
    return actual;
}

static struct value *another_address_of_b(struct resource *r)
{
    return str_eq(r->name, "b") ? another_address(r) : same_as_desired(r);
}

/* net.n <- host.a <- host.b <- host.c, and host.d on net.n alone */
static void add_chain(struct plan *p)
{
    static const char *const hosts[][2] = {{"c", "b"}, {"b", "a"}, {"a", NULL}, {"d", NULL}};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct resource *r = add(p, &host_kind, hosts[i][0], 1, "10.0.0.1");

        plan_need(p, r, "net", "n");
        if (hosts[i][1])
            plan_need(p, r, "host", hosts[i][1]);
    }
    add(p, &net_kind, "n", 1, "10.0.0.0/8");
}

static void must_compute(struct plan *p)
{
    struct err err = ERR_INIT;

    if (plan_compute(p, &world, &err) < 0)
        fail_msg("%s", err.text);
}

static void must_apply(struct plan *p)
{
    struct err err = ERR_INIT;

    if (plan_apply(p, &world, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static size_t place(const char *call)
{
    const char *at = strstr(world.calls.buf, call);

    if (!at)
        fail_msg("'%s' is not in:\n%s", call, world.calls.buf);
    return (size_t)(at - world.calls.buf);
}

static void check_before(const char *first, const char *second)
{
    if (place(first) >= place(second))
        fail_msg("'%s' is not before '%s' in:\n%s", first, second, world.calls.buf);
}

static bool called(const char *call)
{
    return strstr(world.calls.buf, call) != NULL;
}

static enum action action_of(const struct plan *p, const char *name)
{
    return plan_find(p, "host", name)->action;
}

/* ---- computing ---- */

static void an_empty_plan_does_nothing(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    must_compute(&p);
    assert_true(plan_is_empty(&p));
    must_apply(&p);
    assert_int_equal(world.n, 0);
    plan_release(&p);
}

static void absent_is_created_and_unwanted_destroyed(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add(&p, &host_kind, "a", 1, "x");
    plan_add(&p, &host_kind, "gone");
    must_compute(&p);
    assert_int_equal(action_of(&p, "a"), ACTION_CREATE);
    assert_int_equal(action_of(&p, "gone"), ACTION_NONE);
    world.actual = same_as_desired;
    must_compute(&p);
    assert_int_equal(action_of(&p, "a"), ACTION_NONE);
    assert_int_equal(action_of(&p, "gone"), ACTION_DESTROY);
    assert_int_equal(plan_count(&p, ACTION_DESTROY), 1);
    assert_false(plan_is_empty(&p));
    plan_release(&p);
}

static void a_change_updates_or_replaces(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add(&p, &host_kind, "a", 1, "10.0.0.1");
    add(&p, &net_kind, "n", 1, "10.0.0.1");
    world.actual = another_size;
    must_compute(&p);
    assert_int_equal(action_of(&p, "a"), ACTION_UPDATE);
    assert_string_equal(plan_find(&p, "host", "a")->reason, "size: 99 -> 1");
    assert_int_equal(plan_find(&p, "net", "n")->action, ACTION_REPLACE); /* it has no update */
    world.actual = another_address;
    must_compute(&p);
    assert_int_equal(action_of(&p, "a"), ACTION_REPLACE);
    assert_string_equal(plan_find(&p, "host", "a")->reason, "address: old -> 10.0.0.1");
    plan_release(&p);
}

static struct value *tagged(struct resource *r, const char *const *tags)
{
    struct value *list = value_list(r->arena);

    for (; *tags; tags++)
        value_list_add(r->arena, list, value_str(r->arena, *tags));
    return list;
}

static struct value *other_tags(struct resource *r)
{
    static const char *const tags[] = {"tcp 22", "tcp 80", NULL};
    struct value *actual = value_map(r->arena);

    value_map_set(r->arena, actual, "tags", tagged(r, tags));
    value_map_set(r->arena, actual, "running", value_bool(r->arena, false));
    return actual;
}

static void lists_are_shown_by_what_comes_and_goes(void **state)
{
    static const char *const tags[] = {"tcp 22", "tcp 443", NULL}, *const turned[] = {
                                                                       "tcp 80", "tcp 22", NULL};
    struct plan p;
    struct resource *r;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    world.actual = other_tags;
    r = plan_add(&p, &host_kind, "a");
    r->desired = value_map(r->arena);
    value_map_set(r->arena, r->desired, "tags", tagged(r, tags));
    must_compute(&p);
    assert_int_equal(r->action, ACTION_UPDATE);
    assert_string_equal(r->reason, "tags: +tcp 443, -tcp 80");
    assert_false(plan_attr_is_right(r, "tags"));
    assert_true(plan_attr_is_right(r, "running")); /* nobody asked */
    assert_false(plan_differs(r, ATTR_REACH));
    value_map_set(r->arena, r->desired, "running", value_bool(r->arena, true));
    assert_true(plan_differs(r, ATTR_REACH));
    value_map_del(r->desired, "running");
    value_map_set(r->arena, r->desired, "tags", tagged(r, turned));
    must_compute(&p); /* nothing comes or goes, but the order is another */
    assert_string_equal(r->reason, "tags: [\"tcp 22\", \"tcp 80\"] -> [\"tcp 80\", \"tcp 22\"]");
    plan_release(&p);
}

static struct value *odd_actual(struct resource *r)
{
    struct value *actual = value_map(r->arena);

    value_map_set(r->arena, actual, "size", value_float(r->arena, 1.0));
    value_map_set(r->arena, actual, "tags", value_str(r->arena, "not asked for"));
    value_map_set(r->arena, actual, "extra", value_str(r->arena, "not an attribute"));
    value_map_set(r->arena, actual, "id", value_str(r->arena, "i-1"));
    return actual;
}

static void only_asked_for_attributes_are_compared(void **state)
{
    struct plan p;
    struct resource *r;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    world.actual = odd_actual;
    r = plan_add(&p, &host_kind, "a");
    r->desired = value_map(r->arena);
    value_map_set(r->arena, r->desired, "size", value_int(r->arena, 1));
    value_map_set(r->arena, r->desired, "id", value_str(r->arena, "another"));
    value_map_set(r->arena, r->desired, "unlisted", value_int(r->arena, 5));
    must_compute(&p);
    assert_int_equal(r->action, ACTION_NONE);
    value_map_set(r->arena, r->desired, "address", value_str(r->arena, "10.0.0.9"));
    value_map_set(r->arena, r->desired, "tags", value_list(r->arena));
    must_compute(&p);
    assert_int_equal(r->action, ACTION_REPLACE);
    assert_string_equal(r->reason, "address: (none) -> 10.0.0.9, tags: not asked for -> []");
    plan_release(&p);
}

static void check_refused(struct plan *p, const char *text)
{
    struct err err = ERR_INIT;

    assert_int_equal(plan_compute(p, &world, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
    err_release(&err);
    assert_int_equal(world.n, 0); /* nothing was even read */
    plan_release(p);
}

static void unknown_needs_and_circles_are_refused(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    plan_need(&p, add(&p, &host_kind, "a", 1, "x"), "net", "nowhere");
    check_refused(&p, "host.a needs net.nowhere, which is not in the plan");

    plan_init(&p);
    plan_need(&p, add(&p, &host_kind, "a", 1, "x"), "host", "a");
    check_refused(&p, "circle: host.a -> host.a");

    plan_init(&p);
    plan_need(&p, add(&p, &host_kind, "outside", 1, "x"), "host", "a");
    plan_need(&p, add(&p, &host_kind, "a", 1, "x"), "host", "b");
    plan_need(&p, add(&p, &host_kind, "b", 1, "x"), "host", "c");
    plan_need(&p, add(&p, &host_kind, "c", 1, "x"), "host", "a");
    add(&p, &host_kind, "free", 1, "x");
    check_refused(&p, "host.a");

    plan_init(&p);
    plan_need(&p, add(&p, &host_kind, "a", 1, "x"), "net", "old");
    plan_add(&p, &net_kind, "old");
    check_refused(&p, "host.a needs net.old, which is to be destroyed");
}

static void a_failed_read_fails_the_plan(void **state)
{
    struct err err = ERR_INIT;
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    world.fail = "read host.a";
    assert_int_equal(plan_compute(&p, &world, &err), -1);
    assert_string_equal(err.text, "reading host.a: boom");
    assert_int_equal(err.code, ERR_REMOTE);
    err_release(&err);
    world.fail = NULL;
    must_compute(&p);
    plan_release(&p);
}

static void the_plan_as_a_value(void **state)
{
    struct plan p;
    struct arena a;
    struct value *v;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    arena_init(&a);
    add(&p, &host_kind, "a", 1, "x");
    must_compute(&p);
    v = plan_to_value(&p, &a);
    assert_int_equal(v->type, VALUE_LIST);
    assert_int_equal(v->u.list.n, 1);
    v = v->u.list.items[0];
    assert_string_equal(value_get_str(v, "kind", ""), "host");
    assert_string_equal(value_get_str(v, "name", ""), "a");
    assert_string_equal(value_get_str(v, "action", ""), "create");
    assert_int_equal(value_get(v, "reason")->type, VALUE_NULL);
    assert_int_equal(value_get(v, "actual")->type, VALUE_NULL);
    assert_int_equal(value_get_int(value_get(v, "desired"), "size", 0), 1);
    arena_release(&a);
    plan_release(&p);
}

/* ---- applying ---- */

static void creation_follows_the_needs(void **state)
{
    struct plan p;
    struct resource *c;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    must_compute(&p);
    must_apply(&p);
    check_before("create net.n", "create host.a");
    check_before("create net.n", "create host.d");
    check_before("wait host.a", "create host.b");
    check_before("wait host.b", "create host.c");
    c = plan_find(&p, "host", "c");
    assert_true(c->done);
    assert_string_equal(value_get_str(c->actual, "id", ""), "id-c");
    assert_true(value_get_bool(c->actual, "ready", false));
    plan_release(&p);
}

static void destruction_goes_the_other_way(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    for (size_t i = 0; i < p.resources.n; i++)
        p.resources.items[i]->desired = NULL;
    world.actual = same_as_desired;
    must_compute(&p);
    assert_int_equal(plan_count(&p, ACTION_DESTROY), 5);
    must_apply(&p);
    check_before("destroy host.c", "destroy host.b");
    check_before("destroy host.b", "destroy host.a");
    check_before("destroy host.a", "destroy net.n");
    check_before("destroy host.d", "destroy net.n");
    for (size_t i = 0; i < p.resources.n; i++)
        assert_null(p.resources.items[i]->actual);
    plan_release(&p);
}

static void replacement_destroys_dependents_first(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    world.actual = another_address;
    must_compute(&p);
    assert_int_equal(plan_count(&p, ACTION_REPLACE), 5);
    must_apply(&p);
    check_before("destroy host.c", "destroy host.b");
    check_before("destroy host.a", "destroy net.n");
    check_before("destroy net.n", "create net.n");
    check_before("create net.n", "create host.a");
    check_before("create host.b", "create host.c");
    assert_int_equal(world.n, 5 + 5 + 5 + 4);
    plan_release(&p);
}

static void only_what_changes_is_touched(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    world.actual = another_address_of_b;
    must_compute(&p);
    must_apply(&p);
    assert_int_equal(world.n, 5 + 3);
    check_before("destroy host.b", "create host.b");
    check_before("create host.b", "wait host.b");
    plan_release(&p);
}

static void updates_keep_what_they_do_not_change(void **state)
{
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add(&p, &host_kind, "a", 1, "x");
    world.actual = another_size;
    must_compute(&p);
    must_apply(&p);
    assert_string_equal(world.calls.buf, "read host.a\nupdate host.a\nwait host.a\n");
    assert_string_equal(value_get_str(plan_find(&p, "host", "a")->actual, "id", ""), "old-id");
    assert_int_equal(value_get_int(plan_find(&p, "host", "a")->actual, "size", 0), 1);
    plan_release(&p);
}

/* Eight creates wait for each other. */
static void independent_ones_run_at_once(void **state)
{
    pthread_barrier_t meet;
    struct plan p;
    char name[16];

    UNUSED(state);
    world_reset();
    plan_init(&p);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "h%d", i);
        add(&p, &host_kind, name, 1, "x");
    }
    must_compute(&p);
    pthread_barrier_init(&meet, NULL, 8);
    world.meet = &meet;
    must_apply(&p);
    assert_int_equal(world.most_running, 8);
    pthread_barrier_destroy(&meet);
    plan_release(&p);
}

static void the_state_is_saved_around_every_call(void **state)
{
    struct err err = ERR_INIT;
    struct store store;
    struct plan p;

    UNUSED(state);
    world_reset();
    store_init(&store);
    plan_init(&p);
    add(&p, &host_kind, "a", 1, "x");
    add(&p, &net_kind, "n", 1, "x");
    plan_need(&p, plan_find(&p, "host", "a"), "net", "n");
    world.actual = another_address;
    must_compute(&p);
    assert_int_equal(plan_apply(&p, &world, &store.base, NULL, &err), 0);
    assert_string_equal(store.saves.buf, "began host.a\nended host.a absent\n"
                                         "began net.n\nended net.n absent\n"
                                         "began net.n absent\nended net.n\n"
                                         "began host.a absent\nended host.a\nended host.a\n");
    str_release(&store.saves);
    plan_release(&p);
}

static void a_failed_save_fails_the_resource(void **state)
{
    UNUSED(state);
    for (int at = 1; at <= 5; at++) {
        struct err err = ERR_INIT;
        struct store store;
        struct plan p;

        world_reset();
        store_init(&store);
        plan_init(&p);
        add(&p, &host_kind, "a", 1, "x");
        add(&p, &net_kind, "n", 1, "x");
        plan_need(&p, plan_find(&p, "host", "a"), "net", "n");
        must_compute(&p);
        store.fail_at = at;
        assert_int_equal(plan_apply(&p, &world, &store.base, NULL, &err), -1);
        assert_int_equal(err.code, ERR_IO);
        assert_non_null(strstr(err.text, "saving the state: disk full"));
        if (at == 1)
            assert_int_equal(world.n, 2); /* nothing is done that is not written down */
        if (at <= 2)
            assert_false(called("create host.a"));
        err_release(&err);
        str_release(&store.saves);
        plan_release(&p);
    }
}

static void what_needs_a_failed_one_is_not_done(void **state)
{
    struct err err = ERR_INIT;
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    must_compute(&p);
    world.fail = "create host.a";
    assert_int_equal(plan_apply(&p, &world, NULL, NULL, &err), -1);
    assert_int_equal(err.code, ERR_REMOTE);
    assert_string_equal(err.text, "2 of 5 changes done, 1 failed, 2 not begun or not finished: "
                                  "creating host.a: boom");
    assert_true(plan_find(&p, "host", "d")->done);
    assert_true(plan_find(&p, "host", "a")->failed);
    assert_false(plan_find(&p, "host", "c")->done);
    assert_false(plan_find(&p, "host", "c")->failed);
    assert_string_equal(plan_find(&p, "host", "c")->err.text, "not done, because host.a failed");
    assert_false(called("create host.b"));
    err_release(&err);
    plan_release(&p);
}

/* host.old cannot be destroyed; that keeps net.n (unchanged) and a new host on it from nothing. */
static void a_failed_destroy_blocks_only_what_it_needs(void **state)
{
    struct err err = ERR_INIT;
    struct resource *old;
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add(&p, &net_kind, "n", 1, "x");
    add(&p, &host_kind, "new", 1, "y");
    plan_need(&p, plan_find(&p, "host", "new"), "net", "n");
    old = plan_add(&p, &host_kind, "old");
    plan_need(&p, old, "net", "n");
    world.actual = same_as_desired;
    must_compute(&p);
    plan_find(&p, "host", "new")->actual = NULL;
    plan_find(&p, "host", "new")->action = ACTION_CREATE;
    world.fail = "destroy host.old";
    assert_int_equal(plan_apply(&p, &world, NULL, NULL, &err), -1);
    assert_true(plan_find(&p, "host", "new")->done);
    assert_true(old->failed);
    err_release(&err);
    plan_release(&p);
}

static void a_failed_destroy_keeps_the_rest_in_place(void **state)
{
    struct err err = ERR_INIT;
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    world.actual = another_address;
    must_compute(&p);
    world.fail = "destroy host.b";
    assert_int_equal(plan_apply(&p, &world, NULL, NULL, &err), -1);
    assert_false(called("destroy host.a"));
    assert_false(called("destroy net.n"));
    assert_false(called("create"));
    assert_string_equal(plan_find(&p, "host", "c")->err.text, "not done, because host.b failed");
    assert_non_null(plan_find(&p, "net", "n")->actual);
    err_release(&err);
    plan_release(&p);
}

/* A run is broken at every call in turn; the next run, reading what there is, must end well. */
static struct value *left_by_last_run[8];

static struct value *left_behind(struct resource *r)
{
    size_t i = (size_t)(strchr("abcdn", r->name[0]) - "abcdn");

    return left_by_last_run[i] ? value_copy(r->arena, left_by_last_run[i]) : NULL;
}

static void keep_what_is_left(const struct plan *p, struct arena *a)
{
    for (size_t k = 0; k < p->resources.n; k++) {
        const struct resource *r = p->resources.items[k];
        size_t i = (size_t)(strchr("abcdn", r->name[0]) - "abcdn");

        left_by_last_run[i] = r->actual ? value_copy(a, r->actual) : NULL;
    }
}

static void broken_anywhere_it_can_go_on(void **state)
{
    int at = 1;
    bool failed = true;

    UNUSED(state);
    for (; failed; at++) {
        struct err err = ERR_INIT;
        struct arena left;
        struct plan p;

        world_reset();
        arena_init(&left);
        plan_init(&p);
        add_chain(&p);
        world.actual = another_address;
        must_compute(&p);
        world.n = 0;
        world.fail_at = at;
        failed = plan_apply(&p, &world, NULL, NULL, &err) < 0;
        err_release(&err);
        keep_what_is_left(&p, &left);
        plan_release(&p);

        world.fail_at = 0;
        world.actual = left_behind;
        plan_init(&p);
        add_chain(&p);
        must_compute(&p);
        must_apply(&p);
        keep_what_is_left(&p, &left);
        must_compute(&p);
        assert_true(plan_is_empty(&p));
        plan_release(&p);
        arena_release(&left);
    }
    assert_int_equal(at - 2, 5 + 5 + 4);
}

struct sink {
    struct event_sink base;
    pthread_mutex_t lock;
    int begun, changed, failed, skipped, last_done, total;
};

static void on_event(struct event_sink *base, const struct event *event)
{
    struct sink *sink = (struct sink *)base;

    pthread_mutex_lock(&sink->lock);
    sink->begun += event->kind == EVENT_HOST;
    sink->changed += event->kind == EVENT_CHANGED;
    sink->failed += event->kind == EVENT_FAILED;
    sink->skipped += event->kind == EVENT_SKIPPED;
    sink->last_done = event->done > sink->last_done ? event->done : sink->last_done;
    sink->total = event->total;
    pthread_mutex_unlock(&sink->lock);
}

static void events_tell_each_change(void **state)
{
    struct sink sink = {.base = {on_event}, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct err err = ERR_INIT;
    struct plan p;

    UNUSED(state);
    world_reset();
    plan_init(&p);
    add_chain(&p);
    must_compute(&p);
    world.fail = "create host.b";
    assert_int_equal(plan_apply(&p, &world, NULL, &sink.base, &err), -1);
    assert_int_equal(sink.begun, 4);
    assert_int_equal(sink.changed, 3);
    assert_int_equal(sink.failed, 1);
    assert_int_equal(sink.skipped, 1);
    assert_int_equal(sink.last_done, 3);
    assert_int_equal(sink.total, 5);
    err_release(&err);
    plan_release(&p);
}

static void a_wide_and_deep_plan(void **state)
{
    struct store store;
    struct err err = ERR_INIT;
    struct plan p;
    char name[16], need[16];

    UNUSED(state);
    world_reset();
    store_init(&store);
    plan_init(&p);
    add(&p, &net_kind, "n", 1, "x");
    for (int i = 0; i < 400; i++) {
        struct resource *r;

        snprintf(name, sizeof(name), "h%d", i);
        snprintf(need, sizeof(need), "h%d", i - 40);
        r = add(&p, &host_kind, name, 1, "x");
        plan_need(&p, r, "net", "n");
        plan_need(&p, r, "net", "n"); /* twice does no harm */
        if (i >= 40)
            plan_need(&p, r, "host", need);
    }
    must_compute(&p);
    assert_int_equal(plan_apply(&p, &world, &store.base, NULL, &err), 0);
    check_before("create host.h0\n", "create host.h40\n");
    check_before("create host.h359\n", "create host.h399\n");
    assert_int_equal(store.n, 2 + 400 * 3);
    str_release(&store.saves);
    plan_release(&p);
}

static int stop_in_create(void *provider, struct resource *r, struct err *err)
{
    if (str_eq(r->name, "a"))
        clock_request_stop();
    return fake_create(provider, r, err);
}

static const struct resource_kind stopping_kind = {.name = "host",
                                                   .attrs = attrs,
                                                   .read = fake_read,
                                                   .create = stop_in_create,
                                                   .destroy = fake_destroy};

/* In a child: a requested stop cannot be taken back. */
static void a_stop_finishes_the_call_and_begins_no_other(void **state)
{
    int status = 0;
    pid_t pid = fork();

    UNUSED(state);
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct plan p;

        world_reset();
        plan_init(&p);
        plan_need(&p, add(&p, &stopping_kind, "b", 1, "x"), "host", "a");
        add(&p, &stopping_kind, "a", 1, "x");
        must_compute(&p);
        if (plan_apply(&p, &world, NULL, NULL, &err) == 0 || err.code != ERR_INTERRUPTED)
            _exit(1);
        if (!plan_find(&p, "host", "a")->done || called("create host.b"))
            _exit(2);
        _exit(plan_find(&p, "host", "b")->err.code == ERR_INTERRUPTED ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_plan_does_nothing),
        cmocka_unit_test(absent_is_created_and_unwanted_destroyed),
        cmocka_unit_test(a_change_updates_or_replaces),
        cmocka_unit_test(lists_are_shown_by_what_comes_and_goes),
        cmocka_unit_test(only_asked_for_attributes_are_compared),
        cmocka_unit_test(unknown_needs_and_circles_are_refused),
        cmocka_unit_test(a_failed_read_fails_the_plan),
        cmocka_unit_test(the_plan_as_a_value),
        cmocka_unit_test(creation_follows_the_needs),
        cmocka_unit_test(destruction_goes_the_other_way),
        cmocka_unit_test(replacement_destroys_dependents_first),
        cmocka_unit_test(only_what_changes_is_touched),
        cmocka_unit_test(updates_keep_what_they_do_not_change),
        cmocka_unit_test(independent_ones_run_at_once),
        cmocka_unit_test(the_state_is_saved_around_every_call),
        cmocka_unit_test(a_failed_save_fails_the_resource),
        cmocka_unit_test(what_needs_a_failed_one_is_not_done),
        cmocka_unit_test(a_failed_destroy_blocks_only_what_it_needs),
        cmocka_unit_test(a_failed_destroy_keeps_the_rest_in_place),
        cmocka_unit_test(broken_anywhere_it_can_go_on),
        cmocka_unit_test(events_tell_each_change),
        cmocka_unit_test(a_wide_and_deep_plan),
        cmocka_unit_test(a_stop_finishes_the_call_and_begins_no_other),
    };
    int rc = cmocka_run_group_tests_name("plan", tests, NULL, NULL);

    str_release(&world.calls);
    return rc;
}
