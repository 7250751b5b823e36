/*
 * ops.c - Python's operators: truth, equality, order, membership, arithmetic.
 */
#include <math.h>

#include "lib/jinja/eval.h"
#include "lib/jinja/moments.h"

bool is_undefined(const struct value *v)
{
    return v->type == VALUE_UNDEFINED;
}

bool is_nothing(const struct value *v)
{
    return v->type == VALUE_UNDEFINED && v->plain;
}

bool is_number(const struct value *v)
{
    return v->type == VALUE_BOOL || v->type == VALUE_INT || v->type == VALUE_FLOAT;
}

bool is_tuple(const struct value *v)
{
    return v->type == VALUE_LIST && v->plain;
}

bool is_mapping(const struct value *v)
{
    return v->type == VALUE_MAP || v->type == VALUE_OBJECT;
}

const char *python_type(const struct value *v)
{
    static const char *const names[] = {[VALUE_UNDEFINED] = "Undefined", [VALUE_NULL] = "NoneType",
                                        [VALUE_BOOL] = "bool",           [VALUE_INT] = "int",
                                        [VALUE_FLOAT] = "float",         [VALUE_STR] = "str",
                                        [VALUE_LIST] = "list",           [VALUE_MAP] = "dict",
                                        [VALUE_OBJECT] = "dict"};

    if (moment_of(v))
        return moment_of(v)->span ? "datetime.timedelta" : "datetime.datetime";
    if (is_template_object(v))
        return namespace_members(v) ? "Namespace" : "LoopContext";
    return is_tuple(v) ? "tuple" : names[v->type];
}

int64_t int_of(const struct value *v)
{
    return v->type == VALUE_BOOL ? v->u.b : v->u.i;
}

double float_of(const struct value *v)
{
    return v->type == VALUE_FLOAT ? v->u.f : (double)int_of(v);
}

bool float_fits_int(double f)
{
    return f >= (double)INT64_MIN && f < -(double)INT64_MIN;
}

bool jinja_truth(const struct value *v)
{
    switch (v->type) {
    case VALUE_UNDEFINED:
    case VALUE_NULL:
        return false;
    case VALUE_BOOL:
        return v->u.b;
    case VALUE_INT:
        return v->u.i != 0;
    case VALUE_FLOAT:
        return v->u.f != 0;
    case VALUE_STR:
        return v->u.str.len > 0;
    case VALUE_LIST:
        return v->u.list.n > 0;
    case VALUE_MAP:
        return v->u.map.n > 0;
    case VALUE_OBJECT:
        break;
    }
    if (moment_of(v) && moment_of(v)->span)
        return moment_of(v)->us != 0;
    return is_template_object(v) || v->u.object->count(v->u.object) > 0;
}

int ev_truth(struct evaluator *ev, const struct value *v)
{
    return is_undefined(v) && !is_nothing(v) ? ev_error(ev, "%s", v->u.str.s) : jinja_truth(v);
}

/* ---- equality and order --------------------------------------------------------------------- */

static bool numbers_equal(const struct value *a, const struct value *b)
{
    if (a->type != VALUE_FLOAT && b->type != VALUE_FLOAT)
        return int_of(a) == int_of(b);
    if (a->type == VALUE_FLOAT && b->type == VALUE_FLOAT)
        return a->u.f == b->u.f;
    return value_equal(
        a->type == VALUE_FLOAT ? a : &(struct value){.type = VALUE_INT, .u = {.i = int_of(a)}},
        b->type == VALUE_FLOAT ? b : &(struct value){.type = VALUE_INT, .u = {.i = int_of(b)}});
}

static int lists_equal(struct evaluator *ev, const struct value *a, const struct value *b)
{
    if (a->u.list.n != b->u.list.n || a->plain != b->plain)
        return 0;
    for (size_t i = 0; i < a->u.list.n; i++) {
        int equal = ev_equal(ev, a->u.list.items[i], b->u.list.items[i]);

        if (equal <= 0)
            return equal;
    }
    return 1;
}

static int maps_equal(struct evaluator *ev, const struct value *a, const struct value *b)
{
    if (moment_of(a) && moment_of(b))
        return moment_of(a)->span == moment_of(b)->span && moment_of(a)->us == moment_of(b)->us;
    if (is_template_object(a) || is_template_object(b))
        return a == b;
    if (!(a = ev_map(ev, a)) || !(b = ev_map(ev, b)))
        return -1;
    if (a->u.map.n != b->u.map.n)
        return 0;
    for (size_t i = 0; i < a->u.map.n; i++) {
        const struct value *other = value_get(b, a->u.map.entries[i].key);
        int equal = other ? ev_equal(ev, a->u.map.entries[i].value, other) : 0;

        if (equal <= 0)
            return equal;
    }
    return 1;
}

static int containers_equal(struct evaluator *ev, const struct value *a, const struct value *b)
{
    int equal;

    if (ev_descend(ev) < 0)
        return -1;
    equal = a->type == VALUE_LIST ? lists_equal(ev, a, b) : maps_equal(ev, a, b);
    ev->depth--;
    return equal;
}

int ev_equal(struct evaluator *ev, const struct value *a, const struct value *b)
{
    if (is_undefined(a) || is_undefined(b))
        return ev_error(ev, "%s", is_undefined(a) ? a->u.str.s : b->u.str.s);
    if (ev_charge(ev, 1) < 0)
        return -1;
    if (is_number(a) && is_number(b))
        return numbers_equal(a, b);
    if (a->type == VALUE_STR && b->type == VALUE_STR)
        return a->u.str.len == b->u.str.len && ev_charge_bytes(ev, a->u.str.len) == 0 &&
               memcmp(a->u.str.s, b->u.str.s, a->u.str.len) == 0;
    if (is_mapping(a) && is_mapping(b))
        return containers_equal(ev, a, b);
    if (a->type != b->type)
        return 0;
    return a->type == VALUE_LIST ? containers_equal(ev, a, b) : 1;
}

static int order_of(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int compare_text(struct evaluator *ev, const struct value *a, const struct value *b,
                        int *order)
{
    size_t n = a->u.str.len < b->u.str.len ? a->u.str.len : b->u.str.len;

    /* UTF-8 sorts as its code points do. */
    *order = memcmp(a->u.str.s, b->u.str.s, n);
    if (*order == 0)
        *order = a->u.str.len < b->u.str.len ? -1 : a->u.str.len > b->u.str.len;
    return ev_charge_bytes(ev, n);
}

static int compare_lists(struct evaluator *ev, const struct value *a, const struct value *b,
                         const char *operation, int *order)
{
    size_t n = a->u.list.n < b->u.list.n ? a->u.list.n : b->u.list.n;

    for (size_t i = 0; i < n; i++) {
        int equal = ev_equal(ev, a->u.list.items[i], b->u.list.items[i]);

        if (equal < 0)
            return -1;
        if (!equal)
            return ev_compare(ev, a->u.list.items[i], b->u.list.items[i], operation, order);
    }
    *order = a->u.list.n < b->u.list.n ? -1 : a->u.list.n > b->u.list.n;
    return 0;
}

int ev_compare(struct evaluator *ev, const struct value *a, const struct value *b,
               const char *operation, int *order)
{
    int result;

    *order = 0;
    if (is_undefined(a) || is_undefined(b))
        return ev_error(ev, "%s", is_undefined(a) ? a->u.str.s : b->u.str.s);
    if (ev_charge(ev, 1) < 0)
        return -1;
    if (a->type == VALUE_STR && b->type == VALUE_STR)
        return compare_text(ev, a, b, order);
    if (a->type == VALUE_LIST && b->type == VALUE_LIST && a->plain == b->plain) {
        if (ev_descend(ev) < 0)
            return -1;
        result = compare_lists(ev, a, b, operation, order);
        ev->depth--;
        return result;
    }
    if (moment_of(a) && moment_of(b) && moment_of(a)->span == moment_of(b)->span) {
        *order = moment_of(a)->us < moment_of(b)->us ? -1 : moment_of(a)->us > moment_of(b)->us;
        return 0;
    }
    if (!is_number(a) || !is_number(b))
        return ev_error(ev, "'%s' not supported between instances of '%s' and '%s'", operation,
                        python_type(a), python_type(b));
    if (a->type == VALUE_FLOAT || b->type == VALUE_FLOAT)
        *order = order_of(float_of(a), float_of(b));
    else
        *order = int_of(a) < int_of(b) ? -1 : int_of(a) > int_of(b);
    return 0;
}

int ev_contains(struct evaluator *ev, const struct value *container, const struct value *item)
{
    const struct value *found;

    if (is_undefined(container) || is_undefined(item))
        return ev_error(ev, "%s", is_undefined(container) ? container->u.str.s : item->u.str.s);
    if (container->type == VALUE_STR) {
        if (item->type != VALUE_STR)
            return ev_error(ev, "'in <string>' requires string as left operand, not %s",
                            python_type(item));
        if (ev_charge_bytes(ev, container->u.str.len) < 0)
            return -1;
        return memmem(container->u.str.s, container->u.str.len, item->u.str.s, item->u.str.len) !=
               NULL;
    }
    if (is_mapping(container) && !is_template_object(container)) {
        if (item->type != VALUE_STR)
            return 0;
        found = ev_member(ev, container, item->u.str.s);
        return found ? !is_undefined(found) : -1;
    }
    if (container->type != VALUE_LIST)
        return ev_error(ev, "argument of type '%s' is not iterable", python_type(container));
    for (size_t i = 0; i < container->u.list.n; i++) {
        int equal = ev_equal(ev, container->u.list.items[i], item);

        if (equal != 0)
            return equal;
    }
    return 0;
}

static bool is_nan(const struct value *v)
{
    return v->type == VALUE_FLOAT && isnan(v->u.f);
}

int ev_relation(struct evaluator *ev, enum operator op, const struct value *a,
                const struct value *b)
{
    static const char *const names[] = {
        [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">="};
    int order, truth;

    if (op == OP_EQ || op == OP_NE) {
        truth = ev_equal(ev, a, b);
        return truth < 0 ? -1 : truth == (op == OP_EQ);
    }
    if (op == OP_IN || op == OP_NOT_IN) {
        truth = ev_contains(ev, b, a);
        return truth < 0 ? -1 : truth == (op == OP_IN);
    }
    if (ev_compare(ev, a, b, names[op], &order) < 0)
        return -1;
    if (is_nan(a) || is_nan(b))
        return 0;
    if (op == OP_LT || op == OP_LE)
        return order < 0 || (order == 0 && op == OP_LE);
    return order > 0 || (order == 0 && op == OP_GE);
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

static const struct value *too_large(struct evaluator *ev)
{
    return ev_fail(ev, "integer result out of range (64 bits)");
}

const struct value *ev_negate(struct evaluator *ev, const struct value *v)
{
    if (v->type == VALUE_FLOAT)
        return ev_float(ev, -v->u.f);
    return int_of(v) == INT64_MIN ? too_large(ev) : ev_int(ev, -int_of(v));
}

/* Rounded down, as Python does, where C rounds to zero. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t q = a / b;

    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static const struct value *int_power(struct evaluator *ev, int64_t base, int64_t exponent)
{
    int64_t result = 1;

    if (exponent < 0)
        return base == 0 ? ev_fail(ev, "0.0 cannot be raised to a negative power")
                         : ev_float(ev, pow((double)base, (double)exponent));
    if (base >= -1 && base <= 1)
        return ev_int(ev, exponent == 0 ? 1 : base >= 0 || exponent % 2 ? base : 1);
    for (; exponent > 0; exponent--) {
        if (__builtin_mul_overflow(result, base, &result))
            return too_large(ev);
    }
    return ev_int(ev, result);
}

static const struct value *int_arithmetic(struct evaluator *ev, enum operator op, int64_t a,
                                          int64_t b)
{
    int64_t result = 0;
    bool overflow = false;

    if ((op == OP_DIVIDE || op == OP_FLOOR_DIVIDE || op == OP_MODULO) && b == 0)
        return ev_fail(ev,
                       op == OP_DIVIDE ? "division by zero" : "integer division or modulo by zero");
    switch (op) {
    case OP_ADD:
        overflow = __builtin_add_overflow(a, b, &result);
        break;
    case OP_SUBTRACT:
        overflow = __builtin_sub_overflow(a, b, &result);
        break;
    case OP_MULTIPLY:
        overflow = __builtin_mul_overflow(a, b, &result);
        break;
    case OP_DIVIDE:
        return ev_float(ev, (double)a / (double)b);
    case OP_POWER:
        return int_power(ev, a, b);
    default: /* INT64_MIN / -1 is the one quotient that does not fit */
        overflow = op == OP_FLOOR_DIVIDE && a == INT64_MIN && b == -1;
        if (b == -1)
            result = op == OP_MODULO || overflow ? 0 : -a;
        else
            result = op == OP_MODULO ? a - floor_divide(a, b) * b : floor_divide(a, b);
    }
    return overflow ? too_large(ev) : ev_int(ev, result);
}

static double float_modulo(double a, double b)
{
    double r = fmod(a, b);

    return r != 0 && (r < 0) != (b < 0) ? r + b : r == 0 ? copysign(0, b) : r;
}

static const struct value *float_power(struct evaluator *ev, double a, double b)
{
    double result = pow(a, b);

    if (a == 0 && b < 0)
        return ev_fail(ev, "0.0 cannot be raised to a negative power");
    if (isnan(result) && !isnan(a) && !isnan(b))
        return ev_fail(ev, "complex numbers are not supported");
    if (isinf(result) && !isinf(a) && !isinf(b))
        return ev_fail(ev, "numerical result out of range");
    return ev_float(ev, result);
}

static const struct value *float_arithmetic(struct evaluator *ev, enum operator op, double a,
                                            double b)
{
    if ((op == OP_DIVIDE || op == OP_FLOOR_DIVIDE || op == OP_MODULO) && b == 0)
        return ev_fail(ev, op == OP_DIVIDE   ? "float division by zero"
                           : op == OP_MODULO ? "float modulo"
                                             : "float floor division by zero");
    switch (op) {
    case OP_ADD:
        return ev_float(ev, a + b);
    case OP_SUBTRACT:
        return ev_float(ev, a - b);
    case OP_MULTIPLY:
        return ev_float(ev, a * b);
    case OP_DIVIDE:
        return ev_float(ev, a / b);
    case OP_MODULO:
        return ev_float(ev, float_modulo(a, b));
    case OP_FLOOR_DIVIDE:
        return ev_float(ev, copysign(round((a - float_modulo(a, b)) / b), a / b));
    default:
        return float_power(ev, a, b);
    }
}

/* ---- sequences ------------------------------------------------------------------------------ */

static const struct value *concatenate(struct evaluator *ev, const struct value *a,
                                       const struct value *b)
{
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    if (ev_put(ev, &out, a) < 0 || ev_put(ev, &out, b) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

static const struct value *join_lists(struct evaluator *ev, const struct value *a,
                                      const struct value *b)
{
    struct value *list = ev_list(ev);

    list->plain = a->plain;
    if (ev_charge(ev, a->u.list.n + b->u.list.n) < 0)
        return NULL;
    for (size_t i = 0; i < a->u.list.n; i++)
        ev_push(ev, list, a->u.list.items[i]);
    for (size_t i = 0; i < b->u.list.n; i++)
        ev_push(ev, list, b->u.list.items[i]);
    return list;
}

static const struct value *repeat(struct evaluator *ev, const struct value *v, int64_t times)
{
    struct value *list;
    struct str out;

    if (v->type == VALUE_STR) {
        str_init(&out, JINJA_MAX_OUTPUT);
        for (; times > 0 && v->u.str.len > 0 && !out.full; times--)
            str_add(&out, v->u.str.s, v->u.str.len);
        return ev_take(ev, &out);
    }
    list = ev_list(ev);
    list->plain = v->plain;
    for (; times > 0 && v->u.list.n > 0; times--) {
        if (ev_charge(ev, v->u.list.n) < 0)
            return NULL;
        for (size_t i = 0; i < v->u.list.n; i++)
            ev_push(ev, list, v->u.list.items[i]);
    }
    return list;
}

static bool is_sequence(const struct value *v)
{
    return v->type == VALUE_STR || v->type == VALUE_LIST;
}

static bool is_integral(const struct value *v)
{
    return v->type == VALUE_INT || v->type == VALUE_BOOL;
}

static const struct value *bad_operands(struct evaluator *ev, enum operator op,
                                        const struct value *a, const struct value *b)
{
    static const char *const names[] = {
        [OP_ADD] = "+",           [OP_SUBTRACT] = "-", [OP_MULTIPLY] = "*", [OP_DIVIDE] = "/",
        [OP_FLOOR_DIVIDE] = "//", [OP_MODULO] = "%",   [OP_POWER] = "**"};

    return ev_fail(ev, "unsupported operand type(s) for %s: '%s' and '%s'", names[op],
                   python_type(a), python_type(b));
}

const struct value *ev_binary(struct evaluator *ev, enum operator op, const struct value *a,
                              const struct value *b)
{
    if (op == OP_CONCAT)
        return concatenate(ev, a, b);
    if (is_undefined(a) || is_undefined(b))
        return ev_fail(ev, "%s", is_undefined(a) ? a->u.str.s : b->u.str.s);
    if (is_number(a) && is_number(b)) {
        if (a->type == VALUE_FLOAT || b->type == VALUE_FLOAT)
            return float_arithmetic(ev, op, float_of(a), float_of(b));
        return int_arithmetic(ev, op, int_of(a), int_of(b));
    }
    if (op == OP_ADD && a->type == VALUE_STR && b->type == VALUE_STR)
        return concatenate(ev, a, b);
    if (op == OP_ADD && a->type == VALUE_LIST && b->type == VALUE_LIST && a->plain == b->plain)
        return join_lists(ev, a, b);
    if (op == OP_MULTIPLY && is_sequence(a) && is_integral(b))
        return repeat(ev, a, int_of(b));
    if (op == OP_MULTIPLY && is_sequence(b) && is_integral(a))
        return repeat(ev, b, int_of(a));
    if (op == OP_MODULO && a->type == VALUE_STR)
        return ev_percent(ev, a, b);
    if (moments_combine(op, moment_of(a), moment_of(b)))
        return moment_binary(ev, op, moment_of(a), moment_of(b));
    return bad_operands(ev, op, a, b);
}
