/*
 * report_page.h - what templates/drill-report.html.j2 shows: texts and geometry, ready to be put
 * where the template says. It decides nothing, so that all of it can be tested here.
 */
#ifndef PGHA_REPORT_PAGE_H
#define PGHA_REPORT_PAGE_H

#include "lib/drill/report.h"

/* The template's variables: {page: {...}}. Every text is escaped for HTML, once and here: the
 * template cannot forget it. */
struct value *drill_page_variables(const struct drill_report *r, struct arena *a);

/* report_timeline.c: the geometry of a result's SVG in units of its viewBox, texts not escaped;
 * null when nothing has a time. */
struct value *drill_timeline(const struct drill_result *r, struct arena *a);

#endif
