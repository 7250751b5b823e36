/* docs.c - pages of docs/ and the man page, from the tables. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "lib/base/assets.h"
#include "lib/cluster/parameters.h"
#include "lib/doc/event_json.h"
#include "lib/drill/scenario.h"
#include "lib/play/modules.h"

static void write_prices(struct str *out)
{
    static const struct assets embedded;
    struct err err = ERR_INIT;

    if (assets_read(&embedded, "providers/aws/prices.yml", out, &err) < 0)
        BUG("%s", err.text);
}

static const struct {
    const char *name;
    void (*write)(struct str *out);
} pages[] = {
    {"ansible", play_write_reference},
    {"cluster-file", cluster_write_docs},
    {"commands", commands_write_docs},
    {"drill", drill_write_docs},
    {"events", event_json_write_docs},
    {"modules", modules_write_docs},
    {"parameters", parameters_write_docs},
    {"prices", write_prices},
    {"man", man_print},
};

static int run(struct context *ctx, int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct str text;

    UNUSED(ctx);
    UNUSED(argc);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!str_eq(pages[i].name, argv[0]))
            continue;
        str_init(&text, STR_MAX_TEXT);
        pages[i].write(&text);
        print_text(&text);
        str_release(&text);
        return 0;
    }
    err_set(&err, ERR_USAGE, "there is no page \"%s\"", argv[0]);
    err_hint(&err, "one of: ansible, cluster-file, commands, drill, events, modules, parameters, "
                   "prices, man");
    return report_err(&err);
}

const struct command cmd_docs = {"docs",
                                 "print a page of the documentation, made from the tables",
                                 "PAGE",
                                 "Pages: ansible, cluster-file, commands, drill, events, modules, "
                                 "parameters; prices for provider aws' table; man for the man "
                                 "page.",
                                 NULL,
                                 1,
                                 1,
                                 run};
