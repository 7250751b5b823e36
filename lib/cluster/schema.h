/*
 * schema.h - every key of the cluster file, once: type, default, range, help.
 *
 * Validation, `init`, and docs/cluster-file.md are made from this table. To add a key, add a row.
 */
#ifndef PGHA_SCHEMA_H
#define PGHA_SCHEMA_H

#include "lib/doc/fault.h"

enum schema_type {
    SCHEMA_SECTION,    /* a map of known keys */
    SCHEMA_RECORDS,    /* a list of maps of known keys; their paths have [] */
    SCHEMA_CLUSTER,    /* name of a cluster: [a-z][a-z0-9-]* */
    SCHEMA_IDENTIFIER, /* name of a database, role, extension */
    SCHEMA_IDENTIFIERS,
    SCHEMA_TEXT,      /* one line, not empty */
    SCHEMA_VARIABLES, /* map of an inventory's variables */
    SCHEMA_INT,
    SCHEMA_CHOICE,     /* one of `choices`; YAML's on and off are taken as words */
    SCHEMA_ADDRESS,    /* IPv4 */
    SCHEMA_CIDR,       /* IPv4 network, no host bits */
    SCHEMA_CIDRS,      /* list of those */
    SCHEMA_PARAMETERS, /* name: scalar, PostgreSQL's own parameter names */
    SCHEMA_SECONDS     /* name: integer */
};

struct schema_key {
    const char *path; /* "network.cidr", "postgres.users[].name" */
    enum schema_type type;
    bool required;
    const char *otherwise; /* default as YAML; NULL: none, or computed (said in help) */
    int64_t min, max;      /* SCHEMA_INT, SCHEMA_SECONDS */
    const char *choices;   /* "a|b|c"; SCHEMA_CHOICE */
    const char *help;
    const char *providers; /* "local|aws": those that have the key; NULL: all */
};

extern const struct schema_key schema_keys[]; /* a section before its keys; ends with path NULL */

/* The file's tree against the table: every fault is added, and a new tree with all defaults comes
 * back (NULL only when the document is no map). */
struct value *schema_apply(struct arena *a, const struct value *file, struct faults *faults);
/* Whether key is directly below the section ("" is the top). *name is its last part. */
bool schema_child_of(const struct schema_key *key, const char *section, const char **name);
bool schema_is_for(const struct schema_key *key, const char *provider);
const char *schema_type_help(enum schema_type type); /* "list of IPv4 networks" */

/* "10.0.0.0/24": host byte order; -1 when it is none or has host bits (then *network is what it
 * should be). */
int cidr_parse(const char *text, uint32_t *network, int *prefix);
int address_parse(const char *text, uint32_t *address);
void address_format(uint32_t address, char out[16]);

#endif
