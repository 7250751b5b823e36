/*
 * curl_config.c - requests that a host's curl makes.
 */
#include "lib/play/curl_config.h"

bool curl_is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

int curl_check_headers(const struct value *headers, struct err *err)
{
    for (size_t i = 0; headers && i < headers->u.map.n; i++) {
        const struct value *v = headers->u.map.entries[i].value;

        if (!curl_is_clean(headers->u.map.entries[i].key) ||
            (v->type == VALUE_STR && !curl_is_clean(v->u.str.s)))
            return err_set(err, ERR_INPUT, "header %.40s holds control characters",
                           headers->u.map.entries[i].key);
    }
    return 0;
}

const char *curl_ciphers(const struct module_call *call)
{
    const struct value *ciphers = value_get(call->args, "ciphers");
    const char *joined = NULL;

    for (size_t i = 0; ciphers && i < ciphers->u.list.n; i++)
        joined = arena_printf(call->arena, "%s%s%s", joined ? joined : "", joined ? ":" : "",
                              ciphers->u.list.items[i]->u.str.s);
    return joined;
}

void curl_put(struct str *out, const char *name, const char *text)
{
    str_printf(out, "%s = \"", name);
    for (; *text; text++) {
        const char *letter = *text == '\n'   ? "\\n"
                             : *text == '\r' ? "\\r"
                             : *text == '\t' ? "\\t"
                                             : NULL;

        if (letter)
            str_puts(out, letter);
        else {
            if (*text == '"' || *text == '\\')
                str_putc(out, '\\');
            str_putc(out, *text);
        }
    }
    str_puts(out, "\"\n");
}

void curl_put_input(const struct str *text, struct str *script)
{
    str_puts(script, "printf %s '");
    str_put_base64(script, text->buf, text->len);
    str_puts(script, "' | base64 -d | ");
}
