/*
 * sqlobjects.h - roles, databases and extensions of the cluster file, made on the primary.
 *
 * What is there already is left alone, but for a role's password and a database's owner, which
 * follow the file. Nothing is ever dropped.
 */
#ifndef PGHA_SQLOBJECTS_H
#define PGHA_SQLOBJECTS_H

#include "lib/cluster/cluster.h"
#include "lib/net/pg.h"

struct sql_change {
    const char *what; /* "create database app" */
};

struct sql_changes {
    struct arena arena;
    VEC(struct sql_change) items;
};

/* Finds what is missing on the primary at `target` (a superuser's login to database postgres); with
 * apply, makes it. Password differences are not looked for: a password cannot be read back; new
 * roles get theirs. */
int sql_converge(const struct cluster *c, const struct secrets *s, const struct pg_target *target,
                 bool apply, struct sql_changes *changes, struct err *err) MUST_USE;
void sql_changes_release(struct sql_changes *changes);

/* Every role whose secret is rotating gets its next password, in one transaction. */
int sql_rotate_passwords(const struct secrets *s, const struct pg_target *target,
                         struct err *err) MUST_USE;

#endif
