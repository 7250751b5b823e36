/* test_aws_xml.c - answers of AWS as values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/doc/json.h"
#include "providers/aws/xml.h"

static void check(const char *text, const char *json)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct str out;
    const struct value *v = xml_parse(&arena, text, strlen(text), NULL, &err);

    assert_non_null(v);
    str_init(&out, STR_MAX_TEXT);
    json_write(v, JSON_TIGHT, &out);
    assert_string_equal(out.buf, json);
    str_release(&out);
    arena_release(&arena);
}

static void refused(const char *text, const char *why)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;

    assert_null(xml_parse(&arena, text, strlen(text), NULL, &err));
    assert_int_equal(err.code, ERR_NET);
    assert_true(err.retryable);
    assert_non_null(strstr(err.text, why));
    err_release(&err);
    arena_release(&arena);
}

static void elements_become_maps_lists_and_strings(void **state)
{
    UNUSED(state);
    check("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
          "  <requestId>7a62c442</requestId>\n"
          "  <vpcSet>\n    <item><vpcId>vpc-1</vpcId><tagSet/></item>\n"
          "    "
          "<item><vpcId>vpc-2</vpcId><tagSet><item><key>a&amp;b</key><value/></item></tagSet></"
          "item>\n"
          "  </vpcSet>\n</DescribeVpcsResponse>",
          "{\"requestId\":\"7a62c442\",\"vpcSet\":[{\"vpcId\":\"vpc-1\",\"tagSet\":\"\"},"
          "{\"vpcId\":\"vpc-2\",\"tagSet\":[{\"key\":\"a&b\",\"value\":\"\"}]}]}");
    check("<R><Roles><member><Arn>x</Arn></member></Roles><!-- no --><T><![CDATA[1<2]]></T></R>",
          "{\"Roles\":[{\"Arn\":\"x\"}],\"T\":\"1<2\"}");
    check("<R/>", "\"\"");
}

static void lists_that_are_empty(void **state)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct value *const *items;
    static const char text[] = "<R><a/><b><item/></b></R>";
    const char *name = NULL;
    const struct value *v = xml_parse(&arena, text, strlen(text), &name, &err);

    UNUSED(state);
    assert_string_equal(name, "R");
    assert_int_equal(xml_list(v, "a", &items), 0);
    assert_int_equal(xml_list(v, "b", &items), 1);
    assert_int_equal(xml_list(v, "c", &items), 0);
    arena_release(&arena);
}

static void what_is_no_answer(void **state)
{
    struct str deep;

    UNUSED(state);
    refused("", "no XML");
    refused("junk", "no XML: junk");
    refused("<a><b></a>", "no XML");
    refused("<a>", "no XML");
    refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "document type");
    refused("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", "document type");
    str_init(&deep, STR_MAX_TEXT);
    for (int i = 0; i < 100; i++)
        str_puts(&deep, "<a>");
    for (int i = 0; i < 100; i++)
        str_puts(&deep, "</a>");
    refused(deep.buf, "within each other");
    str_release(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_become_maps_lists_and_strings),
        cmocka_unit_test(lists_that_are_empty),
        cmocka_unit_test(what_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
