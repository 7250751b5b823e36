/*
 * test_tls.c - certificates of a cluster: who gets one, renewal, and the steps of a new authority.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/cluster/tls.h"

enum { NOW = 1800000000, DAY = 86400 };

struct scene {
    struct cluster cluster;
    struct secrets secrets;
    struct err err;
};

static int set_up(void **state)
{
    static const char text[] = "cluster: demo\nprovider: {name: local}\n"
                               "network: {cidr: 10.77.0.0/24, vip: 10.77.0.100}\n";
    struct scene *s = xcalloc(1, sizeof(*s));
    struct faults faults;
    bool grew = false;

    faults_init(&faults);
    assert_int_equal(cluster_load_text(&s->cluster, "demo.yaml", text, strlen(text), &faults), 0);
    faults_release(&faults);
    arena_init(&s->secrets.arena);
    s->secrets.values = value_map(&s->secrets.arena);
    assert_int_equal(tls_prepare(&s->secrets, &s->cluster, NOW, &grew, &s->err), 0);
    assert_true(grew);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    secrets_release(&s->secrets);
    cluster_release(&s->cluster);
    err_release(&s->err);
    free(s);
    return 0;
}

static bool has(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (str_eq(*list, text))
            return true;
    return false;
}

static void every_host_has_its_names(void **state)
{
    struct scene *s = *state;

    vec_each (h, &s->cluster.hosts) {
        struct pki_info info;

        assert_int_equal(pki_inspect(tls_cert(&s->secrets, h->name), &info, &s->err), 0);
        assert_string_equal(info.subject, h->name);
        assert_true(has(info.dns, h->name));
        assert_true(has(info.addresses, h->address));
        assert_true(has(info.addresses, "10.77.0.100")); /* clients come through it */
        pki_info_release(&info);
        assert_int_equal(
            pki_verify_chain(tls_ca(&s->secrets), tls_cert(&s->secrets, h->name), NOW, &s->err), 0);
    }
}

static void nothing_is_made_twice(void **state)
{
    struct scene *s = *state;
    const char *before = tls_cert(&s->secrets, "db1");
    bool grew = false;

    assert_int_equal(tls_prepare(&s->secrets, &s->cluster, NOW + 200 * DAY, &grew, &s->err), 0);
    assert_false(grew);
    assert_string_equal(tls_cert(&s->secrets, "db1"), before);
}

static void what_expires_soon_is_made_anew(void **state)
{
    struct scene *s = *state;
    char *before = xstrdup(tls_cert(&s->secrets, "db1")), *ca = xstrdup(tls_ca(&s->secrets));
    bool grew = false;

    assert_int_equal(tls_prepare(&s->secrets, &s->cluster, NOW + 250 * DAY, &grew, &s->err), 0);
    assert_true(grew);
    assert_string_not_equal(tls_cert(&s->secrets, "db1"), before);
    assert_string_equal(tls_ca(&s->secrets), ca);
    assert_false(tls_authority_expires(&s->secrets, NOW + (int64_t)2000 * DAY));
    assert_true(tls_authority_expires(&s->secrets, NOW + (int64_t)3000 * DAY));
    free(before);
    free(ca);
}

struct deployed {
    char *bundle, *cert, *proof_ca, *proof_cert;
};

static struct deployed deploy(struct scene *s)
{
    struct pki_pair pair = PKI_PAIR_INIT;
    struct http_tls proof;
    struct deployed d = {xstrdup(tls_ca(&s->secrets)), xstrdup(tls_cert(&s->secrets, "db1")), NULL,
                         NULL};

    assert_int_equal(tls_rotation_proof(&s->secrets, NOW, &pair, &proof, &s->err), 0);
    d.proof_ca = xstrdup(proof.ca);
    d.proof_cert = xstrdup(proof.cert);
    pki_pair_release(&pair);
    return d;
}

static bool trusts(struct scene *s, const char *bundle, const char *cert)
{
    bool yes = pki_verify_chain(bundle, cert, NOW, &s->err) == 0;

    err_release(&s->err);
    return yes;
}

/* While a step arrives, some hosts have it and some have the one before. */
static void in_a_rotation_everybody_trusts_everybody(void **state)
{
    static const enum tls_rotation steps[] = {TLS_SETTLED, TLS_NEW_TRUSTED, TLS_NEW_SIGNS,
                                              TLS_SETTLED};
    struct scene *s = *state;
    struct deployed at[ARRAY_LEN(steps)];

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (i == 1)
            assert_int_equal(tls_rotate_begin(&s->secrets, &s->cluster, NOW, &s->err), 0);
        else if (i)
            assert_int_equal(tls_rotate_advance(&s->secrets, &s->cluster, NOW, &s->err), 0);
        assert_int_equal(tls_rotation(&s->secrets), steps[i]);
        at[i] = deploy(s);
        assert_true(trusts(s, at[i].bundle, at[i].cert));
        if (!i)
            continue;
        assert_true(trusts(s, at[i].bundle, at[i - 1].cert));
        assert_true(trusts(s, at[i - 1].bundle, at[i].cert));
        assert_string_not_equal(at[i].cert, at[i - 1].cert);
    }
    /* The proof of a step fails on a host that has not got it. */
    assert_true(trusts(s, at[1].bundle, at[1].proof_cert));
    assert_false(trusts(s, at[0].bundle, at[1].proof_cert));
    assert_true(trusts(s, at[2].proof_ca, at[2].cert));
    assert_false(trusts(s, at[2].proof_ca, at[1].cert));
    assert_false(trusts(s, at[3].bundle, at[0].cert));
    assert_int_equal(tls_rotate_begin(&s->secrets, &s->cluster, NOW, &s->err), 0);
    assert_int_equal(tls_rotate_begin(&s->secrets, &s->cluster, NOW, &s->err), 0); /* no third */
    assert_int_equal(tls_rotation(&s->secrets), TLS_NEW_TRUSTED);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        free(at[i].bundle);
        free(at[i].cert);
        free(at[i].proof_ca);
        free(at[i].proof_cert);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_host_has_its_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_made_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_expires_soon_is_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_a_rotation_everybody_trusts_everybody, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
