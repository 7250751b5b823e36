/*
 * test_pki.c - authorities, certificates, verdicts; held against the openssl program where there is
 * one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/cluster/pki.h"

#define NOW  INT64_C(1790000000) /* 2026-09-21T14:13:20Z */
#define HOUR INT64_C(3600)
#define DAY  INT64_C(86400)

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct pki_pair ca, other_ca, pair; /* pair: of ca, as `usual` asks */

static const struct pki_request usual = {
    .name = "db1",
    .dns = (const char *const[]){"db1", "db1.demo.internal", "*.demo.internal", NULL},
    .addresses = (const char *const[]){"10.77.0.11", "fd00::11", NULL},
    .server = true,
    .client = true,
};

static void make_ca(const char *name, int64_t now_s, struct pki_pair *out)
{
    struct err err = ERR_INIT;

    if (pki_make_ca(name, now_s, out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void issue(const struct pki_pair *by, const struct pki_request *request, int64_t now_s,
                  struct pki_pair *out)
{
    struct err err = ERR_INIT;

    if (pki_issue(by, request, now_s, out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void inspect(const char *cert, struct pki_info *info)
{
    struct err err = ERR_INIT;

    if (pki_inspect(cert, info, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ERR_peek_error(), 0);
}

/* The error is there, says `expected`, and names the code. Released. */
static void assert_refused(int rc, struct err *err, enum err_code code, const char *expected)
{
    assert_int_equal(rc, -1);
    if (err->code != code || !strstr(err->text, expected))
        fail_msg("wanted %d \"%s\", got %d \"%s\"", (int)code, expected, (int)err->code, err->text);
    assert_null(strstr(err->text, "PRIVATE KEY"));
    assert_int_equal(ERR_peek_error(), 0);
    err_release(err);
}

static void refuse_issue(const struct pki_pair *by, const struct pki_request *request,
                         int64_t now_s, const char *expected)
{
    struct err err = ERR_INIT;
    struct pki_pair out;

    assert_refused(pki_issue(by, request, now_s, &out, &err), &err, ERR_INPUT, expected);
    assert_null(out.cert);
    assert_null(out.key);
}

static void refuse_inspect(const char *cert, const char *expected)
{
    struct err err = ERR_INIT;
    struct pki_info info;

    assert_refused(pki_inspect(cert, &info, &err), &err, ERR_INPUT, expected);
    pki_info_release(&info);
}

static void refuse_chain(const char *bundle, const char *cert, int64_t now_s, enum err_code code,
                         const char *expected)
{
    struct err err = ERR_INIT;

    assert_refused(pki_verify_chain(bundle, cert, now_s, &err), &err, code, expected);
}

static void trust(const char *bundle, const char *cert, int64_t now_s)
{
    struct err err = ERR_INIT;

    if (pki_verify_chain(bundle, cert, now_s, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void assert_verdict(enum pki_verdict got, enum pki_verdict wanted)
{
    if (got != wanted)
        fail_msg("wanted \"%s\", got \"%s\"", pki_verdict_text(wanted), pki_verdict_text(got));
    assert_int_equal(ERR_peek_error(), 0);
}

static void assert_judged(const struct pki_pair *judged, const struct pki_request *request,
                          int64_t now_s, enum pki_verdict wanted)
{
    assert_verdict(pki_judge(ca.cert, judged, request, now_s), wanted);
}

static int make_pairs(void **state)
{
    UNUSED(state);
    make_ca("demo", NOW, &ca);
    make_ca("demo", NOW, &other_ca); /* of the same name, as after a rotation */
    issue(&ca, &usual, NOW, &pair);
    return 0;
}

static int release_pairs(void **state)
{
    UNUSED(state);
    pki_pair_release(&ca);
    pki_pair_release(&other_ca);
    pki_pair_release(&pair);
    assert_null(pair.key);
    return 0;
}

static void test_ca(void **state)
{
    struct pki_info info, other;

    UNUSED(state);
    assert_true(str_starts(ca.cert, "-----BEGIN CERTIFICATE-----\n"));
    assert_true(str_starts(ca.key, "-----BEGIN PRIVATE KEY-----\n"));
    inspect(ca.cert, &info);
    inspect(other_ca.cert, &other);
    assert_string_equal(info.subject, "demo CA");
    assert_string_equal(info.issuer, "CN=demo CA,O=pgha-deploy");
    assert_true(info.is_ca);
    assert_null(info.dns[0]);
    assert_null(info.addresses[0]);
    assert_true(info.not_before == NOW - HOUR);
    assert_true(info.not_after == NOW + 3650 * DAY);
    assert_int_equal(strlen(info.serial), 32); /* 127 bits: never negative */
    assert_non_null(strchr("4567", info.serial[0]));
    assert_int_equal(strspn(info.serial, "0123456789ABCDEF"), 32);
    assert_int_equal(strlen(info.fingerprint), 95);
    assert_int_equal(info.fingerprint[2], ':');
    assert_string_not_equal(info.serial, other.serial);
    assert_string_not_equal(info.fingerprint, other.fingerprint);
    pki_info_release(&info);
    pki_info_release(&other);
    trust(ca.cert, ca.cert, NOW);
}

static void test_certificate(void **state)
{
    struct pki_info info;

    UNUSED(state);
    inspect(pair.cert, &info);
    assert_string_equal(info.subject, "db1");
    assert_string_equal(info.issuer, "CN=demo CA,O=pgha-deploy");
    assert_false(info.is_ca);
    for (size_t i = 0; i < 4; i++)
        assert_true(str_eq(info.dns[i], usual.dns[i]));
    for (size_t i = 0; i < 3; i++)
        assert_true(str_eq(info.addresses[i], usual.addresses[i]));
    assert_true(info.not_before == NOW - HOUR);
    assert_true(info.not_after == NOW + 365 * DAY);
    assert_true(str_starts(pair.key, "-----BEGIN PRIVATE KEY-----\n"));
    pki_info_release(&info);
    trust(ca.cert, pair.cert, NOW);
    refuse_chain(other_ca.cert, pair.cert, NOW, ERR_FAILED, "unable to get local issuer");
}

static void test_names_once(void **state)
{
    const struct pki_request request = {
        .name = "lb1",
        .dns = LIST("lb1", "lb1", "lb"),
        .addresses = LIST("2001:DB8:0::1", "10.0.0.1", "2001:db8::1", "10.0.0.1"),
        .server = true,
    };
    struct pki_pair out;
    struct pki_info info;

    UNUSED(state);
    issue(&ca, &request, NOW, &out);
    inspect(out.cert, &info);
    assert_string_equal(info.dns[1], "lb");
    assert_null(info.dns[2]);
    assert_string_equal(info.addresses[0], "2001:db8::1");
    assert_string_equal(info.addresses[1], "10.0.0.1");
    assert_null(info.addresses[2]);
    assert_judged(&out, &request, NOW, PKI_GOOD);
    pki_info_release(&info);
    pki_pair_release(&out);
}

/* A role of PostgreSQL: nothing but a common name. */
static void test_client(void **state)
{
    const struct pki_request request = {.name = "replicator", .client = true};
    struct pki_pair out;
    struct pki_info info;

    UNUSED(state);
    issue(&ca, &request, NOW, &out);
    inspect(out.cert, &info);
    assert_string_equal(info.subject, "replicator");
    assert_null(info.dns[0]);
    assert_null(info.addresses[0]);
    assert_judged(&out, &request, NOW, PKI_GOOD);
    trust(ca.cert, out.cert, NOW);
    pki_info_release(&info);
    pki_pair_release(&out);
}

/* Runs openssl with the text on its input; false when it exits with another status than 0. */
static bool openssl(const char *const *argv, const char *input, struct str *out)
{
    struct err err = ERR_INIT;
    struct proc p = {
        .argv = argv, .input = input, .input_len = strlen(input), .timeout_ms = 20000, .out = out};
    bool ok = proc_run(&p, &err) == 0;

    if (!ok && err.code != ERR_FAILED)
        fail_msg("%s", err.text);
    err_release(&err);
    return ok;
}

static void skip_without_openssl(void)
{
    char path[4096];

    if (!proc_find_program("openssl", path, sizeof(path)))
        skip();
}

static void assert_openssl_prints(const char *cert, const char *const *lines)
{
    struct str out;

    str_init(&out, PKI_PEM_MAX);
    assert_true(
        openssl(LIST("openssl", "x509", "-noout", "-text", "-nameopt", "RFC2253"), cert, &out));
    for (; *lines; lines++)
        if (!strstr(out.buf, *lines))
            fail_msg("no \"%s\" in:\n%s", *lines, out.buf);
    str_release(&out);
}

static void test_openssl_text(void **state)
{
    UNUSED(state);
    skip_without_openssl();
    assert_openssl_prints(ca.cert,
                          LIST("Version: 3 (0x2)", "Signature Algorithm: ecdsa-with-SHA256",
                               "Subject: CN=demo CA,O=pgha-deploy\n", "ASN1 OID: prime256v1",
                               "Not Before: Sep 21 13:13:20 2026 GMT",
                               "Not After : Sep 18 14:13:20 2036 GMT",
                               "Basic Constraints: critical\n                CA:TRUE, pathlen:0",
                               "Key Usage: critical\n                Certificate Sign, CRL Sign\n",
                               "Subject Key Identifier", "Authority Key Identifier"));
    assert_openssl_prints(
        pair.cert,
        LIST("Version: 3 (0x2)", "Signature Algorithm: ecdsa-with-SHA256",
             "Issuer: CN=demo CA,O=pgha-deploy\n", "Subject: CN=db1\n", "ASN1 OID: prime256v1",
             "Not Before: Sep 21 13:13:20 2026 GMT", "Not After : Sep 21 14:13:20 2027 GMT",
             "Basic Constraints: critical\n                CA:FALSE\n",
             "Key Usage: critical\n                Digital Signature\n",
             "TLS Web Server Authentication, TLS Web Client Authentication\n",
             "DNS:db1, DNS:db1.demo.internal, DNS:*.demo.internal, IP Address:10.77.0.11, ",
             "IP Address:FD00:0:0:0:0:0:0:11\n", "Subject Key Identifier",
             "Authority Key Identifier"));
}

static void test_openssl_serial(void **state)
{
    struct pki_info info;
    struct str out;

    UNUSED(state);
    skip_without_openssl();
    inspect(pair.cert, &info);
    str_init(&out, PKI_PEM_MAX);
    assert_true(openssl(LIST("openssl", "x509", "-noout", "-serial"), pair.cert, &out));
    assert_non_null(strstr(out.buf, info.serial));
    str_clear(&out);
    assert_true(
        openssl(LIST("openssl", "x509", "-noout", "-fingerprint", "-sha256"), pair.cert, &out));
    assert_non_null(strstr(out.buf, info.fingerprint));
    str_clear(&out);
    assert_true(openssl(LIST("openssl", "pkey", "-noout", "-check"), pair.key, &out));
    str_release(&out);
    pki_info_release(&info);
}

/* Strict, as Python's ssl from 3.13 on. what: an option and its value. */
static bool openssl_verifies(const char *ca_file, const char *option, const char *value)
{
    char at[32];
    struct str out;
    bool ok;

    snprintf(at, sizeof(at), "%lld", (long long)NOW);
    str_init(&out, PKI_PEM_MAX);
    ok = openssl(
        LIST("openssl", "verify", "-x509_strict", "-attime", at, "-CAfile", ca_file, option, value),
        pair.cert, &out);
    str_release(&out);
    return ok;
}

static void test_openssl_verify(void **state)
{
    struct err err = ERR_INIT;
    char dir[] = "/tmp/pgha-pki-XXXXXX";
    char *mine, *other;

    UNUSED(state);
    skip_without_openssl();
    assert_non_null(mkdtemp(dir));
    mine = path_join(dir, "ca.pem");
    other = path_join(dir, "other.pem");
    assert_int_equal(file_write(mine, ca.cert, strlen(ca.cert), 0600, &err), 0);
    assert_int_equal(file_write(other, other_ca.cert, strlen(other_ca.cert), 0600, &err), 0);
    assert_true(openssl_verifies(mine, "-purpose", "sslserver"));
    assert_true(openssl_verifies(mine, "-purpose", "sslclient"));
    assert_true(openssl_verifies(mine, "-verify_hostname", "db1.demo.internal"));
    assert_true(openssl_verifies(mine, "-verify_hostname", "any.demo.internal"));
    assert_true(openssl_verifies(mine, "-verify_ip", "10.77.0.11"));
    assert_true(openssl_verifies(mine, "-verify_ip", "fd00::11"));
    assert_false(openssl_verifies(mine, "-verify_hostname", "db2"));
    assert_false(openssl_verifies(mine, "-verify_ip", "10.77.0.12"));
    assert_false(openssl_verifies(mine, "-purpose", "crlsign"));
    assert_false(openssl_verifies(other, "-purpose", "sslserver"));
    assert_int_equal(file_remove_tree(dir, &err), 0);
    free(mine);
    free(other);
}

static void test_common_names(void **state)
{
    static const char *const bad[] = {
        "a b", "a,CN=b", "a/CN=b", "a\nb", "a=b", "a+b", "\xc3\xa4", "*.a", "a\"", "a'b", "a\x01",
    };
    char longest[PKI_NAME_MAX + 2];
    struct pki_request request = {.name = longest, .client = true};
    struct err err = ERR_INIT;
    struct pki_pair out;

    UNUSED(state);
    memset(longest, 'n', sizeof(longest));
    longest[PKI_NAME_MAX + 1] = '\0';
    refuse_issue(&ca, &request, NOW, "is longer than the 64 characters");
    longest[PKI_NAME_MAX] = '\0';
    issue(&ca, &request, NOW, &out);
    pki_pair_release(&out);
    assert_refused(pki_make_ca(longest, NOW, &out, &err), &err, ERR_INPUT, "61 characters");
    longest[PKI_NAME_MAX - 3] = '\0';
    make_ca(longest, NOW, &out);
    pki_pair_release(&out);
    assert_refused(pki_make_ca("", NOW, &out, &err), &err, ERR_INPUT, "is empty");
    request.name = "";
    refuse_issue(&ca, &request, NOW, "is empty");
    request.name = NULL;
    refuse_issue(&ca, &request, NOW, "is empty");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        request.name = bad[i];
        refuse_issue(&ca, &request, NOW, "is no name for a certificate");
        assert_refused(pki_make_ca(bad[i], NOW, &out, &err), &err, ERR_INPUT, "is no name");
    }
}

static void test_dns_names(void **state)
{
    static const struct {
        const char *name, *expected;
    } bad[] = {
        {"", "is empty"},
        {"*.", "is empty"},
        {"*", "is no name"},
        {"a.*.b", "is no name"},
        {"*a.b", "is no name"},
        {"*.*.a", "is no name"},
        {"a,IP:1.2.3.4", "is no name"},
        {"a,DNS:b", "is no name"},
        {"DNS:a", "is no name"},
        {"a\nDNS.2=b", "is no name"},
        {"a b", "is no name"},
        {"${ENV::HOME}", "is no name"},
        {"@section", "is no name"},
        {"fd00::1", "is no name"},
        {".a", "is no DNS name"},
        {"a.", "is no DNS name"},
        {"a..b", "is no DNS name"},
        {"10.77.0.11", "is an address"},
    };
    struct pki_request request = {.name = "a", .server = true};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        request.dns = LIST("good", bad[i].name);
        refuse_issue(&ca, &request, NOW, bad[i].expected);
        assert_judged(&pair, &request, NOW, PKI_NAMES_DIFFER);
    }
}

/* 63 characters a label, 253 a name. */
static void test_long_dns_names(void **state)
{
    char name[255];
    struct pki_request request = {.name = "a", .dns = LIST(name), .server = true};
    struct pki_pair out;

    UNUSED(state);
    memset(name, 'l', sizeof(name));
    name[254] = '\0';
    refuse_issue(&ca, &request, NOW, "longer than the 253 characters");
    name[253] = '\0';
    refuse_issue(&ca, &request, NOW, "1 to 63 characters");
    name[63] = name[127] = name[191] = '.';
    issue(&ca, &request, NOW, &out);
    assert_judged(&out, &request, NOW, PKI_GOOD);
    pki_pair_release(&out);
    memcpy(name, "*.", 2);
    issue(&ca, &request, NOW, &out);
    pki_pair_release(&out);
}

static void test_addresses(void **state)
{
    static const char *const bad[] = {
        "",        "10.0.0",        "10.0.0.256",  "10.0.0.1/24", "010.0.0.1",     "localhost",
        "fd00::g", "fe80::1%lo",    "[fd00::1]",   ":::",         " 10.0.0.1",     "10.0.0.1\n",
        "1",       "1.2.3.4,DNS:a", "fd00::1,::2", "0x7f000001",  "10.0.0.1:5432",
    };
    struct pki_request request = {.name = "a", .server = true};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        request.addresses = LIST("10.0.0.1", bad[i]);
        refuse_issue(&ca, &request, NOW, "is neither an IPv4 nor an IPv6 address");
    }
}

static void test_useless_requests(void **state)
{
    UNUSED(state);
    refuse_issue(&ca, &(struct pki_request){.name = "a", .dns = LIST("a")}, NOW,
                 "neither a server nor a client");
    refuse_issue(&ca, &(struct pki_request){.name = "a", .server = true}, NOW,
                 "a server needs a DNS name or an address");
}

static void test_too_many_names(void **state)
{
    enum { COUNT = 4000 };
    const char **names = xcalloc(COUNT + 1, sizeof(*names));
    struct pki_request request = {.name = "a", .dns = names, .server = true};

    UNUSED(state);
    for (size_t i = 0; i < COUNT; i++)
        names[i] = xasprintf("host%zu.demo.internal", i);
    refuse_issue(&ca, &request, NOW, "too many names");
    for (size_t i = 0; i < COUNT; i++)
        free((char *)names[i]);
    free(names);
}

static void test_verdicts(void **state)
{
    struct pki_pair mixed = {pair.cert, ca.key};
    struct pki_request request = usual;

    UNUSED(state);
    assert_judged(&pair, &usual, NOW, PKI_GOOD);
    assert_judged(&(struct pki_pair){NULL, NULL}, &usual, NOW, PKI_MISSING);
    assert_judged(&(struct pki_pair){pair.cert, NULL}, &usual, NOW, PKI_MISSING);
    assert_judged(&(struct pki_pair){NULL, pair.key}, &usual, NOW, PKI_MISSING);
    assert_judged(&(struct pki_pair){(char[]){""}, pair.key}, &usual, NOW, PKI_MISSING);
    assert_judged(&(struct pki_pair){(char[]){"x"}, pair.key}, &usual, NOW, PKI_UNREADABLE);
    assert_judged(&(struct pki_pair){pair.cert, (char[]){"x"}}, &usual, NOW, PKI_UNREADABLE);
    assert_judged(&(struct pki_pair){pair.key, pair.cert}, &usual, NOW, PKI_UNREADABLE);
    assert_judged(&mixed, &usual, NOW, PKI_KEY_MISMATCH);
    assert_verdict(pki_judge(other_ca.cert, &pair, &usual, NOW), PKI_OTHER_CA);
    assert_verdict(pki_judge("", &pair, &usual, NOW), PKI_OTHER_CA);
    assert_verdict(pki_judge(NULL, &pair, &usual, NOW), PKI_OTHER_CA);
    request.name = "db2";
    assert_judged(&pair, &request, NOW, PKI_NAMES_DIFFER);
    request.name = "DB1"; /* roles are compared byte by byte */
    assert_judged(&pair, &request, NOW, PKI_NAMES_DIFFER);
    assert_judged(&ca, &usual, NOW, PKI_NAMES_DIFFER);
}

static void test_names_differ(void **state)
{
    const char *const *dns = usual.dns, *const *addresses = usual.addresses;
    const struct {
        const char *const *dns, *const *addresses;
        bool server, client;
        enum pki_verdict verdict;
    } cases[] = {
        {dns, addresses, true, true, PKI_GOOD},
        {LIST("*.demo.internal", "db1.demo.internal", "db1"), LIST("FD00:0::11", "10.77.0.11"),
         true, true, PKI_GOOD},
        {LIST("db1", "db1", "*.demo.internal", "db1.demo.internal"), addresses, true, true,
         PKI_GOOD},
        {dns, LIST("10.77.0.11", "fd00::12"), true, true, PKI_NAMES_DIFFER},
        {dns, LIST("10.77.0.11"), true, true, PKI_NAMES_DIFFER},
        {LIST("db1", "db1.demo.internal", "*.demo.internal", "db"), addresses, true, true,
         PKI_NAMES_DIFFER},
        {NULL, NULL, false, true, PKI_NAMES_DIFFER},
        {dns, addresses, true, false, PKI_NAMES_DIFFER},
        {dns, addresses, false, true, PKI_NAMES_DIFFER},
        {dns, addresses, false, false, PKI_NAMES_DIFFER},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pki_request request = {"db1", cases[i].dns, cases[i].addresses, cases[i].server,
                                      cases[i].client};

        assert_judged(&pair, &request, NOW, cases[i].verdict);
    }
}

/* The lifetime is a year and an hour; a third of it is 121 days, 16 hours and 20 minutes. */
static void test_expiry(void **state)
{
    const int64_t end = NOW + 365 * DAY, third = 121 * DAY + 16 * HOUR + 1200;

    UNUSED(state);
    assert_judged(&pair, &usual, NOW - HOUR - 1, PKI_NOT_YET_VALID);
    assert_judged(&pair, &usual, INT64_MIN, PKI_NOT_YET_VALID);
    assert_judged(&pair, &usual, NOW - HOUR, PKI_GOOD);
    assert_judged(&pair, &usual, end - third, PKI_GOOD);
    assert_judged(&pair, &usual, end - third + 1, PKI_EXPIRES_SOON);
    assert_judged(&pair, &usual, end, PKI_EXPIRES_SOON);
    assert_judged(&pair, &usual, NOW + DAY * 7300, PKI_EXPIRES_SOON);
    assert_judged(&pair, &usual, INT64_MAX, PKI_EXPIRES_SOON);
    assert_true(pki_expires_soon(0, 300, 201));
    assert_false(pki_expires_soon(0, 300, 200));
    assert_false(pki_expires_soon(0, 300, INT64_MIN));
    assert_true(pki_expires_soon(300, 0, 100));
    trust(ca.cert, pair.cert, NOW - HOUR);
    trust(ca.cert, pair.cert, end - 1);
    refuse_chain(ca.cert, pair.cert, end + 1, ERR_FAILED, "certificate has expired");
    refuse_chain(ca.cert, pair.cert, NOW - HOUR - 1, ERR_FAILED, "not yet valid");
}

static void test_ca_is_not_outlived(void **state)
{
    const int64_t end = NOW + 3650 * DAY;
    struct pki_pair out;
    struct pki_info info;

    UNUSED(state);
    issue(&ca, &usual, end - 10 * DAY, &out);
    inspect(out.cert, &info);
    assert_true(info.not_before == end - 10 * DAY - HOUR);
    assert_true(info.not_after == end);
    assert_judged(&out, &usual, end - 10 * DAY, PKI_GOOD);
    trust(ca.cert, out.cert, end - 1);
    pki_info_release(&info);
    pki_pair_release(&out);
    issue(&ca, &usual, NOW - HOUR / 2, &out); /* a clock half an hour behind */
    inspect(out.cert, &info);
    assert_true(info.not_before == NOW - HOUR);
    pki_info_release(&info);
    pki_pair_release(&out);
    refuse_issue(&ca, &usual, end,
                 "the certificate authority: it is valid from 2026-09-21T13:13:20Z to "
                 "2036-09-18T14:13:20Z, and now it is 2036-09-18T14:13:20Z");
    refuse_issue(&ca, &usual, NOW - HOUR - 1, "it is valid from");
}

static void test_clock(void **state)
{
    static const int64_t bad[] = {INT64_MIN, -1, 0, INT64_C(253402300799), INT64_MAX};
    struct err err = ERR_INIT;
    struct pki_pair out;
    struct pki_info info;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_refused(pki_make_ca("demo", bad[i], &out, &err), &err, ERR_INPUT, "is no time");
        refuse_issue(&ca, &usual, bad[i], "is no time");
    }
    make_ca("demo", INT64_C(2524607999), &out); /* from 2050 on ASN.1 writes the year in full */
    inspect(out.cert, &info);
    assert_true(info.not_before == INT64_C(2524607999) - HOUR);
    assert_true(info.not_after == INT64_C(2524607999) + 3650 * DAY);
    trust(out.cert, out.cert, INT64_C(2524608000));
    pki_info_release(&info);
    pki_pair_release(&out);
}

static void test_broken_authorities(void **state)
{
    UNUSED(state);
    refuse_issue(&(struct pki_pair){ca.cert, other_ca.key}, &usual, NOW,
                 "the certificate authority: its key belongs to another");
    refuse_issue(&pair, &usual, NOW, "its certificate is not one of an authority");
    refuse_issue(&(struct pki_pair){NULL, ca.key}, &usual, NOW, "no start line");
    refuse_issue(&(struct pki_pair){ca.cert, NULL}, &usual, NOW, "the private key cannot be read");
    refuse_issue(&(struct pki_pair){(char[]){"rubbish"}, ca.key}, &usual, NOW,
                 "the certificate authority: the certificate cannot be read: no start line");
    refuse_issue(&(struct pki_pair){ca.cert, (char[]){"rubbish"}}, &usual, NOW,
                 "the certificate authority: the private key cannot be read: ");
    refuse_issue(&(struct pki_pair){ca.key, ca.cert}, &usual, NOW, "no start line");
}

/* Cut anywhere, it is refused. */
static void test_cut(void **state)
{
    char *cert = xstrdup(pair.cert), *key = xstrdup(pair.key);
    struct pki_pair cut = {cert, key};

    UNUSED(state);
    for (size_t i = 1; i < strlen(pair.cert) - 1; i += 7) {
        cert[i] = '\0';
        refuse_inspect(cert, "the certificate cannot be read: ");
        refuse_chain(ca.cert, cert, NOW, ERR_INPUT, "the certificate cannot be read: ");
        assert_judged(&cut, &usual, NOW, PKI_UNREADABLE);
        cert[i] = pair.cert[i];
    }
    for (size_t i = 1; i < strlen(pair.key) - 1; i += 7) {
        key[i] = '\0';
        assert_judged(&cut, &usual, NOW, PKI_UNREADABLE);
        key[i] = pair.key[i];
    }
    assert_judged(&cut, &usual, NOW, PKI_GOOD);
    free(cert);
    free(key);
}

/* Every letter matters, but for the last four of base64: some of their bits are none of the
 * certificate. */
static void test_changed(void **state)
{
    char *cert = xstrdup(pair.cert);
    struct pki_pair changed = {cert, pair.key};
    size_t end = (size_t)(strstr(cert, "\n-----END") - cert);

    UNUSED(state);
    for (size_t i = 0; cert[i + 1]; i++) {
        if (i >= end - 4 && i < end)
            continue;
        cert[i] = pair.cert[i] == 'A' ? 'B' : 'A';
        if (pki_judge(ca.cert, &changed, &usual, NOW) == PKI_GOOD)
            fail_msg("letter %zu does not matter", i);
        cert[i] = pair.cert[i];
    }
    free(cert);
}

static void test_too_long(void **state)
{
    struct str text;

    UNUSED(state);
    str_init(&text, STR_MAX_TEXT);
    str_puts(&text, pair.cert);
    while (text.len < PKI_PEM_MAX)
        str_putc(&text, '\n');
    trust(ca.cert, text.buf, NOW);
    assert_verdict(pki_judge(ca.cert, &(struct pki_pair){text.buf, pair.key}, &usual, NOW),
                   PKI_GOOD);
    str_putc(&text, '\n');
    refuse_inspect(text.buf, "is longer than 65536 bytes");
    refuse_chain(ca.cert, text.buf, NOW, ERR_INPUT, "is longer than 65536 bytes");
    refuse_chain(text.buf, pair.cert, NOW, ERR_INPUT, "the bundle of certificates cannot be read");
    assert_judged(&(struct pki_pair){pair.cert, text.buf}, &usual, NOW, PKI_UNREADABLE);
    str_release(&text);
}

/* While authorities change, both are trusted, and the first one signs. */
static void test_rotation(void **state)
{
    char *both = xasprintf("# old and new\n%s\n%s", other_ca.cert, ca.cert);
    char *reversed = xasprintf("%s%s", ca.cert, other_ca.cert);
    struct pki_pair fresh;

    UNUSED(state);
    issue(&other_ca, &usual, NOW, &fresh);
    trust(both, pair.cert, NOW);
    trust(both, fresh.cert, NOW);
    trust(reversed, pair.cert, NOW);
    trust(reversed, fresh.cert, NOW);
    refuse_chain(ca.cert, fresh.cert, NOW, ERR_FAILED, "is not trusted");
    assert_verdict(pki_judge(both, &pair, &usual, NOW), PKI_OTHER_CA);
    assert_verdict(pki_judge(both, &fresh, &usual, NOW), PKI_GOOD);
    assert_verdict(pki_judge(reversed, &pair, &usual, NOW), PKI_GOOD);
    pki_pair_release(&fresh);
    free(both);
    free(reversed);
}

static void test_bundles(void **state)
{
    struct str bundle;

    UNUSED(state);
    str_init(&bundle, STR_MAX_TEXT);
    for (int i = 1; i < PKI_BUNDLE_MAX; i++)
        str_puts(&bundle, other_ca.cert);
    str_puts(&bundle, ca.cert);
    trust(bundle.buf, pair.cert, NOW);
    str_puts(&bundle, ca.cert);
    refuse_chain(bundle.buf, pair.cert, NOW, ERR_INPUT, "holds more than 8 certificates");
    assert_verdict(pki_judge(bundle.buf, &pair, &usual, NOW), PKI_OTHER_CA);
    str_clear(&bundle);
    str_printf(&bundle, "%s-----BEGIN CERTIFICATE-----\nAAAA\n", ca.cert);
    refuse_chain(bundle.buf, pair.cert, NOW, ERR_INPUT, "the bundle of certificates cannot be");
    refuse_chain("", pair.cert, NOW, ERR_INPUT, "no start line");
    refuse_chain(pair.cert, pair.cert, NOW, ERR_FAILED, "is not trusted"); /* no authority */
    str_release(&bundle);
}

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    char *text = xstrndup(data, (size_t)len);

    BIO_free(bio);
    return text;
}

static EVP_PKEY *key_of(const struct pki_pair *of)
{
    BIO *bio = BIO_new_mem_buf(of->key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(key);
    return key;
}

static X509 *cert_of(const struct pki_pair *of)
{
    BIO *bio = BIO_new_mem_buf(of->cert, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

/* A key or a certificate with a passphrase is refused and not asked for; this would hang here. */
static void test_passphrases(void **state)
{
    EVP_PKEY *key = key_of(&ca);
    X509 *cert = cert_of(&ca);
    char *texts[3];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        BIO *bio = BIO_new(BIO_s_mem());

        if (i == 0)
            assert_true(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6,
                                                      NULL, NULL));
        else if (i == 1)
            assert_true(PEM_write_bio_PrivateKey_traditional(
                bio, key, EVP_aes_256_cbc(), (const unsigned char *)"secret", 6, NULL, NULL));
        else
            assert_true(PEM_ASN1_write_bio((i2d_of_void *)i2d_X509, "CERTIFICATE", bio, cert,
                                           EVP_aes_256_cbc(), (const unsigned char *)"secret", 6,
                                           NULL, NULL));
        texts[i] = bio_text(bio);
        assert_non_null(strstr(texts[i], "ENCRYPTED"));
    }
    refuse_issue(&(struct pki_pair){ca.cert, texts[0]}, &usual, NOW, "the private key cannot be");
    refuse_issue(&(struct pki_pair){ca.cert, texts[1]}, &usual, NOW, "the private key cannot be");
    refuse_issue(&(struct pki_pair){texts[2], ca.key}, &usual, NOW, "bad password read");
    assert_judged(&(struct pki_pair){pair.cert, texts[0]}, &usual, NOW, PKI_UNREADABLE);
    assert_judged(&(struct pki_pair){texts[2], ca.key}, &usual, NOW, PKI_UNREADABLE);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* `pair` with another common name (NULL: as it is) and one name instead of its own (type -1: as
 * they are), signed by ca. */
static void make_foreign(const char *common_name, int type, const char *bytes, int len,
                         struct pki_pair *out)
{
    EVP_PKEY *key = key_of(&ca);
    X509 *cert = cert_of(&pair);
    X509_NAME *subject = X509_get_subject_name(cert);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value =
        ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    BIO *bio = BIO_new(BIO_s_mem());

    ASN1_STRING_set(value, bytes, len);
    GENERAL_NAME_set0_value(name, type < 0 ? GEN_DNS : type, value);
    sk_GENERAL_NAME_push(names, name);
    if (type >= 0)
        assert_true(
            X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE_EXISTING));
    if (common_name)
        assert_true(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                                               (const unsigned char *)common_name, -1, 0, 0));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    PEM_write_bio_X509(bio, cert);
    *out = (struct pki_pair){bio_text(bio), xstrdup(pair.key)};
    GENERAL_NAMES_free(names);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* What others wrote into a certificate is one escaped text, or nothing. */
static void test_foreign_names(void **state)
{
    struct pki_pair foreign;
    struct pki_info info;

    UNUSED(state);
    make_foreign("x\n\x1b[2J, CN=y", GEN_DNS, "a,IP:1.2.3.4\n\0b", 15, &foreign);
    inspect(foreign.cert, &info);
    assert_string_equal(info.subject, "x\\0A\\1B[2J\\, CN=y");
    assert_string_equal(info.dns[0], "a\\,IP:1.2.3.4\\0A\\00b");
    assert_null(info.dns[1]);
    assert_null(info.addresses[0]);
    assert_judged(&foreign, &usual, NOW, PKI_NAMES_DIFFER);
    pki_info_release(&info);
    pki_pair_release(&foreign);
    make_foreign(NULL, GEN_EMAIL, "a@b", 3, &foreign);
    inspect(foreign.cert, &info);
    assert_null(info.dns[0]);
    assert_judged(&foreign, &usual, NOW, PKI_NAMES_DIFFER);
    pki_info_release(&info);
    pki_pair_release(&foreign);
    make_foreign(NULL, GEN_IPADD, "12345", 5, &foreign);
    refuse_inspect(foreign.cert, "the names of the certificate cannot be read");
    pki_pair_release(&foreign);
    make_foreign("db0", -1, "", 0, &foreign); /* a second common name */
    assert_judged(&foreign, &usual, NOW, PKI_NAMES_DIFFER);
    pki_pair_release(&foreign);
}

/* The reason is that of this call, not what other code left behind in this thread. */
static void test_error_queue(void **state)
{
    struct err err = ERR_INIT;
    struct pki_info info;
    const char *reason;

    UNUSED(state);
    ERR_raise(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ);
    assert_int_equal(pki_inspect("rubbish", &info, &err), -1);
    assert_string_equal(err.text, "the certificate cannot be read: no start line");
    err_release(&err);
    ERR_raise(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ);
    refuse_inspect("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                   "the certificate cannot be read: ");
    assert_int_equal(pki_verify_chain(pair.key, pair.cert, NOW, &err), -1);
    reason = strstr(err.text, "no start line");
    assert_non_null(reason);
    assert_null(strstr(reason + 1, "no start line"));
    err_release(&err);
}

static void test_verdict_texts(void **state)
{
    UNUSED(state);
    assert_string_equal(pki_verdict_text(PKI_GOOD), "it is good");
    assert_string_equal(pki_verdict_text(PKI_MISSING), "there is none");
    assert_string_equal(pki_verdict_text(PKI_EXPIRES_SOON),
                        "less than a third of its lifetime is left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ca),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_names_once),
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_openssl_text),
        cmocka_unit_test(test_openssl_serial),
        cmocka_unit_test(test_openssl_verify),
        cmocka_unit_test(test_common_names),
        cmocka_unit_test(test_dns_names),
        cmocka_unit_test(test_long_dns_names),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_useless_requests),
        cmocka_unit_test(test_too_many_names),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_names_differ),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_ca_is_not_outlived),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_broken_authorities),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_bundles),
        cmocka_unit_test(test_passphrases),
        cmocka_unit_test(test_foreign_names),
        cmocka_unit_test(test_error_queue),
        cmocka_unit_test(test_verdict_texts),
    };

    return cmocka_run_group_tests_name("pki", tests, make_pairs, release_pairs);
}
