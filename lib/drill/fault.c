/*
 * fault.c - hurting hosts, with the healing beside it.
 *
 * On the host a fault is a file /run/pgha-drill/ID with the script that heals it, and a transient
 * timer that runs it (systemd-run(1)). Healing removes both. /run does not outlive a reboot, nor
 * does what is hurt here.
 */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/drill/guard.h"
#include "lib/drill/stage.h"

#define FOLDER "/run/pgha-drill"

static struct drill_fault *add_fault(struct drill_stage *s, struct drill_host *h)
{
    vec_push(&s->faults, (struct drill_fault){.on = h});
    return &s->faults.items[s->faults.n - 1];
}

/* The timer runs the same file as fault_heal, which begins with its removal: it heals once. */
static void put_begin(const char *id, const char *hurt, const char *heal, struct str *script)
{
    char *whole = xasprintf("rm %s/%s || exit 0\n%s\n", FOLDER, id, heal);

    str_printf(script, "set -e\nmkdir -p %s\nprintf %%s '", FOLDER);
    str_put_base64(script, whole, strlen(whole));
    str_printf(script,
               "' | base64 -d >%s/%s\n"
               "systemd-run --quiet --collect --unit=pgha-drill-%s --on-active=%d "
               "/bin/sh %s/%s\n%s\n",
               FOLDER, id, id, FAULT_MAX_S, FOLDER, id, hurt);
    free(whole);
}

int fault_begin(struct drill_stage *s, struct drill_host *h, const char *hurt, const char *heal,
                struct err *err)
{
    struct str script;
    struct drill_fault *fault;
    unsigned number;
    int rc;

    random_bytes(&number, sizeof(number));
    fault = add_fault(s, h);
    fault->id = arena_printf(s->arena, "%08x", number);
    str_init(&script, STR_MAX_TEXT);
    put_begin(fault->id, hurt, heal, &script);
    rc = stage_run(s, h, script.buf, NULL, err);
    str_release(&script);
    return rc;
}

int fault_signal(struct drill_stage *s, struct drill_host *h, const char *unit, const char *signal,
                 struct err *err)
{
    char *hurt = xasprintf("systemctl kill --kill-whom=all --signal=%s %s", signal, unit);
    char *heal = str_eq(signal, "STOP")
                     ? xasprintf("systemctl kill --kill-whom=all --signal=CONT %s", unit)
                     : xstrdup(":");
    int rc = fault_begin(s, h, hurt, heal, err);

    free(hurt);
    free(heal);
    return rc;
}

int fault_stop_unit(struct drill_stage *s, struct drill_host *h, const char *unit, struct err *err)
{
    char *hurt = xasprintf("systemctl stop --no-block %s", unit);
    char *heal = xasprintf("systemctl start --no-block %s", unit);
    int rc = fault_begin(s, h, hurt, heal, err);

    free(hurt);
    free(heal);
    return rc;
}

int fault_power(struct drill_stage *s, struct drill_host *h, struct err *err)
{
    if (!s->guard)
        return err_set(err, ERR_INPUT, "this provider cannot switch a host off");
    add_fault(s, h)->power = true;
    return guard_do(s->guard, GUARD_POWER_OFF, h->host->name, err);
}

/* Before any other table's judgement (priority -200): nothing but SSH on its port. */
static void put_chain(const char *name, const char *own, const char *ssh, int port, struct str *out)
{
    str_printf(out,
               "  chain %s {\n"
               "    type filter hook %s priority -200; policy drop;\n"
               "    %s lo accept\n"
               "    tcp %s %d accept\n"
               "  }\n",
               name, name, own, ssh, port);
}

int fault_cut(struct drill_stage *s, struct drill_host *h, bool in, bool out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct ssh_target target;
    struct str hurt;
    int port, rc;

    if (check_ssh_target(s->target, h->host->name, &arena, &target, err) < 0) {
        arena_release(&arena);
        return -1;
    }
    port = target.port ? target.port : 22;
    str_init(&hurt, STR_MAX_TEXT);
    str_puts(&hurt, "nft -f - <<'END'\ntable inet pgha_drill {\n");
    if (in)
        put_chain("input", "iif", "dport", port, &hurt);
    if (out)
        put_chain("output", "oif", "sport", port, &hurt);
    str_puts(&hurt, "}\nEND\n");
    rc = fault_begin(s, h, hurt.buf, "nft delete table inet pgha_drill", err);
    str_release(&hurt);
    arena_release(&arena);
    return rc;
}

/* ---- healing ---- */

static int heal_on_host(struct drill_stage *s, const struct drill_fault *f, struct err *err)
{
    char *script = xasprintf("if [ -e %s/%s ]; then /bin/sh %s/%s; fi\n"
                             "systemctl stop pgha-drill-%s.timer 2>/dev/null || :\n",
                             FOLDER, f->id, FOLDER, f->id, f->id);
    int rc = stage_run(s, f->on, script, NULL, err);

    free(script);
    return rc;
}

int fault_heal_last(struct drill_stage *s, struct err *err)
{
    const struct drill_fault *f = &s->faults.items[--s->faults.n];

    return f->power ? guard_do(s->guard, GUARD_POWER_ON, f->on->host->name, err)
                    : heal_on_host(s, f, err);
}

int fault_heal(struct drill_stage *s, struct err *err)
{
    int rc = 0;

    clock_pass_over_stop();
    while (s->faults.n > 0) {
        struct err own = ERR_INIT;

        if (fault_heal_last(s, &own) == 0)
            continue;
        rc = -1;
        if (err->code == ERR_NONE)
            err_move(err, &own);
        err_release(&own);
    }
    clock_heed_stop();
    return rc;
}
