/* sigv4.c - canonical request, string to sign, signature. */
#include "providers/aws/sigv4.h"

#include <openssl/hmac.h>
#include <time.h>

#include "lib/base/hash.h"
#include "lib/base/vec.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { SHA256_SIZE = 32, DATE_LEN = 8 };

void sigv4_time(int64_t unix_s, char out[SIGV4_TIME_SIZE])
{
    time_t seconds = (time_t)unix_s;
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0)
        BUG("a time without a year of four digits");
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void sigv4_put_encoded(struct str *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (is_unreserved(c))
            str_putc(out, (char)c);
        else
            str_printf(out, "%%%02X", c);
    }
}

/* ---- path ---- */

struct piece {
    const char *text;
    size_t len;
};
typedef VEC(struct piece) pieces;

/* Where the next one begins, or NULL: the last. */
static const char *next_piece(const char *text, char ends, struct piece *out)
{
    size_t len = strcspn(text, (const char[]){ends, '\0'});

    *out = (struct piece){text, len};
    return text[len] ? text + len + 1 : NULL;
}

static bool is_text(const struct piece *p, const char *text)
{
    return p->len == strlen(text) && memcmp(p->text, text, p->len) == 0;
}

/* RFC 3986, 5.2.4, and no empty segments. */
static void put_path(const char *path, struct str *out)
{
    const char *at = *path == '/' ? path + 1 : path;
    pieces kept = VEC_INIT;
    bool folder = false;

    while (at) {
        struct piece p;

        at = next_piece(at, '/', &p);
        folder = p.len == 0 || is_text(&p, ".") || is_text(&p, "..");
        if (!folder)
            vec_push(&kept, p);
        else if (is_text(&p, "..") && kept.n > 0)
            kept.n--;
    }
    vec_each (p, &kept) {
        str_putc(out, '/');
        sigv4_put_encoded(out, p->text, p->len);
    }
    if (folder || kept.n == 0)
        str_putc(out, '/');
    vec_release(&kept);
}

static void put_path_as_it_is(const char *path, struct str *out)
{
    const char *at = path;

    while (at) {
        struct piece p;

        at = next_piece(at, '/', &p);
        sigv4_put_encoded(out, p.text, p.len);
        if (at)
            str_putc(out, '/');
    }
}

/* ---- query ---- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* What is encoded already is decoded first, so that both come out alike. */
static void put_recoded(struct str *out, const struct piece *p)
{
    for (size_t i = 0; i < p->len; i++) {
        char c = p->text[i];

        if (c == '%' && i + 2 < p->len && digit_of(p->text[i + 1]) >= 0 &&
            digit_of(p->text[i + 2]) >= 0) {
            c = (char)(digit_of(p->text[i + 1]) * 16 + digit_of(p->text[i + 2]));
            i += 2;
        }
        sigv4_put_encoded(out, &c, 1);
    }
}

struct pair {
    char *name, *value; /* owned */
};
typedef VEC(struct pair) pairs;

/* Both are encoded by now. */
static int by_name(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int names = strcmp(x->name, y->name);

    return names ? names : strcmp(x->value, y->value);
}

static void release_pairs(pairs *list)
{
    vec_each (p, list) {
        free(p->name);
        free(p->value);
    }
    vec_release(list);
}

static char *recoded(const struct piece *p)
{
    struct str s;

    str_init(&s, STR_MAX_TEXT);
    put_recoded(&s, p);
    return str_detach(&s);
}

static void put_query(const char *query, struct str *out)
{
    pairs list = VEC_INIT;

    for (const char *at = *query ? query : NULL; at;) {
        struct piece whole, name, value;
        size_t equals;

        at = next_piece(at, '&', &whole);
        name = whole;
        for (equals = 0; equals < whole.len && whole.text[equals] != '='; equals++)
            ;
        name.len = equals;
        value = (struct piece){whole.text + equals, 0};
        if (equals < whole.len)
            value = (struct piece){whole.text + equals + 1, whole.len - equals - 1};
        vec_push(&list, ((struct pair){recoded(&name), recoded(&value)}));
    }
    if (list.n > 1)
        qsort(list.items, list.n, sizeof(*list.items), by_name);
    for (size_t i = 0; i < list.n; i++)
        str_printf(out, "%s%s=%s", i ? "&" : "", list.items[i].name, list.items[i].value);
    release_pairs(&list);
}

/* ---- headers ---- */

static char *lower(const char *text)
{
    char *copy = xstrdup(text);

    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

/* Without blanks around it, and one for several within. */
static void put_value(struct str *out, const char *value)
{
    static const char blanks[] = " \t\r\n";
    bool any = false;

    for (;;) {
        size_t len;

        value += strspn(value, blanks);
        if (!*value)
            return;
        if (any)
            str_putc(out, ' ');
        len = strcspn(value, blanks);
        str_add(out, value, len);
        value += len;
        any = true;
    }
}

static size_t *header_order(const struct sigv4_request *r, char **names)
{
    size_t *order = xcalloc(r->n_headers + 1, sizeof(*order));

    for (size_t i = 0; i < r->n_headers; i++) { /* few, and equal names keep their order */
        size_t at = i;

        for (; at > 0 && strcmp(names[order[at - 1]], names[i]) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

static void put_headers(const struct sigv4_request *r, struct str *lines, struct str *signed_names)
{
    char **names = xcalloc(r->n_headers + 1, sizeof(*names));
    size_t *order;

    for (size_t i = 0; i < r->n_headers; i++)
        names[i] = lower(r->headers[i].name);
    order = header_order(r, names);
    for (size_t i = 0; i < r->n_headers; i++) {
        const char *name = names[order[i]];
        bool repeated = i > 0 && str_eq(name, names[order[i - 1]]);

        if (repeated) {
            str_putc(lines, ',');
        } else {
            str_printf(lines, "%s%s:", i ? "\n" : "", name);
            str_printf(signed_names, "%s%s", i ? ";" : "", name);
        }
        put_value(lines, r->headers[order[i]].value);
    }
    if (r->n_headers)
        str_putc(lines, '\n');
    for (size_t i = 0; i < r->n_headers; i++)
        free(names[i]);
    free(names);
    free(order);
}

/* ---- what is signed ---- */

static void put_canonical(const struct sigv4_request *r, struct str *out, struct str *signed_names)
{
    char digest_of_body[SHA256_HEX_SIZE];

    sha256_hex(r->body_len ? r->body : "", r->body_len, digest_of_body);
    str_printf(out, "%s\n", r->method);
    if (r->keep_path)
        put_path_as_it_is(r->path, out);
    else
        put_path(r->path, out);
    str_putc(out, '\n');
    put_query(r->query, out);
    str_putc(out, '\n');
    put_headers(r, out, signed_names);
    str_printf(out, "\n%s\n%s", signed_names->buf, digest_of_body);
}

void sigv4_canonical(const struct sigv4_request *r, struct str *out)
{
    struct str signed_names;

    str_init(&signed_names, STR_MAX_TEXT);
    put_canonical(r, out, &signed_names);
    str_release(&signed_names);
}

/* key and out may be the same. */
static void hmac(const void *key, size_t key_len, const char *text, size_t len,
                 unsigned char out[SHA256_SIZE])
{
    unsigned char mac[SHA256_SIZE];
    unsigned size = 0;

    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len, mac, &size) ||
        size != SHA256_SIZE)
        BUG("libcrypto has no HMAC-SHA256");
    memcpy(out, mac, SHA256_SIZE);
    explicit_bzero(mac, sizeof(mac));
}

static void sign(const struct sigv4_key *key, const struct str *text, char out[SHA256_HEX_SIZE])
{
    char *first = xasprintf("AWS4%s", key->secret);
    unsigned char k[SHA256_SIZE];

    hmac(first, strlen(first), key->time, DATE_LEN, k);
    hmac(k, sizeof(k), key->region, strlen(key->region), k);
    hmac(k, sizeof(k), key->service, strlen(key->service), k);
    hmac(k, sizeof(k), "aws4_request", strlen("aws4_request"), k);
    hmac(k, sizeof(k), text->buf, text->len, k);
    hex_of(k, sizeof(k), out);
    explicit_bzero(first, strlen(first));
    explicit_bzero(k, sizeof(k));
    free(first);
}

void sigv4_authorization(const struct sigv4_request *r, const struct sigv4_key *key,
                         struct str *out)
{
    char digest_of_request[SHA256_HEX_SIZE], signature[SHA256_HEX_SIZE];
    char *scope =
        xasprintf("%.*s/%s/%s/aws4_request", DATE_LEN, key->time, key->region, key->service);
    struct str canonical, signed_names, text;

    str_init(&canonical, STR_MAX_TEXT);
    str_init(&signed_names, STR_MAX_TEXT);
    str_init(&text, STR_MAX_TEXT);
    put_canonical(r, &canonical, &signed_names);
    sha256_hex(canonical.buf, canonical.len, digest_of_request);
    str_printf(&text, ALGORITHM "\n%s\n%s\n%s", key->time, scope, digest_of_request);
    sign(key, &text, signature);
    str_printf(out, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->id, scope,
               signed_names.buf, signature);
    str_release(&canonical);
    str_release(&signed_names);
    str_release(&text);
    free(scope);
}
