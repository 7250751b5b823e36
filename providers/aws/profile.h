/*
 * profile.h - the files config and credentials of the AWS CLI
 * (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html).
 */
#ifndef PGHA_AWS_PROFILE_H
#define PGHA_AWS_PROFILE_H

#include "lib/base/err.h"
#include "lib/doc/value.h"

/*
 * Adds the profiles of a file to a map: name -> map of settings, whose names are in lower case. A
 * setting that is there already is replaced, so credentials is read after config. is_config:
 * sections are called [profile NAME] but for [default]; others are passed over. A setting without a
 * value that has indented ones below it is a map. ERR_INPUT names the line.
 */
int profiles_parse(struct arena *a, const char *file, const char *text, size_t len, bool is_config,
                   struct value *profiles, struct err *err) MUST_USE;
/* A file that is not there has no profiles. */
int profiles_read(struct arena *a, const char *file, bool is_config, struct value *profiles,
                  struct err *err) MUST_USE;

#endif
