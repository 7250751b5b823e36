/*
 * fuzz_survey.c - any bytes are a host's answer: facts that are bounded, and that can be shown on a
 * terminal.
 */
#include "lib/check/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            BUG("a byte that must not be shown: %d", *text);
}

static void check_lists(const struct host_facts *f)
{
    vec_each (a, &f->addresses) {
        check_text(a->address);
        check_text(a->interface);
        if (a->prefix < 0 || a->prefix > 128)
            BUG("prefix %d", a->prefix);
    }
    vec_each (l, &f->listeners) {
        check_text(l->address);
        check_text(l->process);
        if (l->port < 1 || l->port > 65535 || l->pid < 0)
            BUG("port %d, pid %d", l->port, l->pid);
    }
    vec_each (c, &f->configs) {
        check_text(c->path);
        check_text(c->scope);
        check_text(c->data_dir);
        check_text(c->token);
        check_text(c->initial_cluster);
    }
    vec_each (d, &f->pgdata)
        check_text(d->path);
    vec_each (p, &f->processes)
        check_text(p->arguments);
    vec_each (path, &f->etcd_data)
        check_text(*path);
    vec_each (id, &f->vrrp_ids)
        if (*id < 1 || *id > 255)
            BUG("virtual_router_id %d", *id);
    if (f->addresses.n > SURVEY_MAX_LIST || f->configs.n > SURVEY_MAX_LIST ||
        f->listeners.n > SURVEY_MAX_LIST)
        BUG("a list without end");
}

static void read_survey(const char *text, size_t len)
{
    struct host_survey s;

    memset(&s, 0, sizeof(s));
    survey_parse(&s, text, len);
    check_text(s.facts.hostname);
    check_text(s.facts.os_name);
    check_lists(&s.facts);
    survey_release(&s);
}

static void read_look(const char *text, size_t len)
{
    struct reach_probe probes[2] = {{"a", "10.0.0.1", 1, REACH_UNKNOWN},
                                    {"b", "10.0.0.2", 1, REACH_UNKNOWN}};
    struct host_look look = {.probes = probes, .n_probes = ARRAY_LEN(probes)};

    survey_look_parse(&look, text, len);
    vec_each (a, &look.vip_facts.adverts)
        check_text(a->source);
    check_text(look.vip_facts.mac);
    survey_look_release(&look);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SURVEY_MAX_BYTES)
        return 0;
    read_survey((const char *)data, size);
    read_look((const char *)data, size);
    return 0;
}
