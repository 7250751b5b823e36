/*
 * controller.h - what lookups see of the machine that runs the playbook: files beside the role and
 * the playbook, and environment variables. Private to lib/play.
 */
#ifndef PGHA_CONTROLLER_H
#define PGHA_CONTROLLER_H

#include "lib/play/vars.h"

/* For one rendering; scope must live as long. */
struct jinja_controller controller_of(const struct scope *scope);

/* The folders in which a task's files are, as Ansible searches them: of the role and those that use
 * it, of the task's file, of the play; in each the folder kind ("files", "templates", "vars"; NULL:
 * none) first. NULL-terminated, in a. */
const char *const *search_folders(const struct scope *scope, const char *kind, struct arena *a);

#endif
