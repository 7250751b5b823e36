/*
 * curl_config.h - requests that a host's curl makes: its configuration goes to it by standard
 * input, so that no secret of a URL or a header is in an argument list. For modules uri and
 * get_url.
 */
#ifndef PGHA_CURL_CONFIG_H
#define PGHA_CURL_CONFIG_H

#include "lib/play/module.h"

/* No control characters, so no line of its own. */
bool curl_is_clean(const char *text);
/* Map of header fields, may be NULL: names and texts must be clean. */
int curl_check_headers(const struct value *headers, struct err *err);
/* Argument ciphers as OpenSSL takes them, in the call's arena; NULL: none. */
const char *curl_ciphers(const struct module_call *call);
/* A line `name = "text"` of curl's configuration, quoted as curl(1), -K has it. */
void curl_put(struct str *out, const char *name, const char *text);
/* "printf ... | base64 -d | ": the text goes to the next command. */
void curl_put_input(const struct str *text, struct str *script);

#endif
