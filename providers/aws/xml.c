/* xml.c - from libxml2's tree to values. */
#include "providers/aws/xml.h"

#include <libxml/parser.h>
#include <limits.h>
#include <pthread.h>

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static bool is_blank(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE && xmlIsBlankNode((xmlNode *)node);
}

static const xmlNode *first_element(const xmlNode *node)
{
    const xmlNode *child = node->children;

    while (child && child->type != XML_ELEMENT_NODE)
        child = child->next;
    return child;
}

static bool is_listed(const xmlNode *node)
{
    const char *name = (const char *)node->name;

    return str_eq(name, "item") || str_eq(name, "member");
}

static bool is_list(const xmlNode *parent)
{
    for (const xmlNode *n = parent->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && !is_listed(n))
            return false;
    return true;
}

static struct value *read_text(struct arena *a, const xmlNode *node)
{
    xmlChar *text = xmlNodeGetContent(node);
    struct value *v;

    if (!text)
        BUG("out of memory in libxml2");
    v = value_str(a, (const char *)text);
    xmlFree(text);
    return v;
}

static struct value *read_element(struct arena *a, const xmlNode *node, int depth, struct err *err)
{
    bool list = is_list(node);
    struct value *v;

    if (depth > XML_MAX_DEPTH) {
        err_set(err, ERR_NET, "more than %d elements within each other", XML_MAX_DEPTH);
        return NULL;
    }
    if (!first_element(node))
        return read_text(a, node);
    v = list ? value_list(a) : value_map(a);
    for (const xmlNode *n = node->children; n; n = n->next) {
        struct value *child;

        if (is_blank(n) || n->type != XML_ELEMENT_NODE)
            continue;
        if (!(child = read_element(a, n, depth + 1, err)))
            return NULL;
        if (list)
            value_list_add(a, v, child);
        else
            value_map_set(a, v, (const char *)n->name, child);
    }
    return v;
}

static void silent(void *ctx, const char *fmt, ...)
{
    UNUSED(ctx);
    UNUSED(fmt);
}

static void library_init(void)
{
    xmlInitParser();
    xmlSetGenericErrorFunc(NULL, silent);
}

struct value *xml_parse(struct arena *a, const char *text, size_t len, const char **name,
                        struct err *err)
{
    const xmlNode *root;
    struct value *v = NULL;
    xmlDoc *doc;

    pthread_once(&library_once, library_init);
    doc = len > INT_MAX ? NULL
                        : xmlReadMemory(text, (int)len, NULL, NULL,
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                            XML_PARSE_NOCDATA);
    root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (!root)
        err_set(err, ERR_NET, "the answer is no XML: %.*s", (int)(len > 80 ? 80 : len), text);
    else if (doc->intSubset || doc->extSubset)
        err_set(err, ERR_NET, "the answer has a document type, which no answer of AWS has");
    else
        v = read_element(a, root, 0, err);
    if (v && name)
        *name = arena_strdup(a, (const char *)root->name);
    if (!v)
        err->retryable = true;
    xmlFreeDoc(doc);
    return v;
}

size_t xml_list(const struct value *map, const char *key, struct value *const **items)
{
    const struct value *v = value_get(map, key);

    *items = v && v->type == VALUE_LIST ? v->u.list.items : NULL;
    return *items ? v->u.list.n : 0;
}
