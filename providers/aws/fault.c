/* fault.c - what AWS's error codes mean: repeat it, or what to tell the user. */
#include <fnmatch.h>

#include "providers/aws/client.h"

/* The SDKs' lists, and EC2's own
 * (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html). */
static const char *const throttled[] = {"*Throttl*",
                                        "RequestLimitExceeded",
                                        "TooManyRequestsException",
                                        "ProvisionedThroughputExceededException",
                                        "BandwidthLimitExceeded",
                                        "SlowDown",
                                        "PriorRequestNotComplete",
                                        "TransactionInProgressException"};
static const char *const transient[] = {"RequestTimeout",     "RequestTimeoutException",
                                        "InternalError",      "InternalFailure",
                                        "ServiceUnavailable", "Unavailable"};

static bool is_one_of(const char *code, const char *const *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fnmatch(patterns[i], code, 0) == 0)
            return true;
    return false;
}

/* A zone without room has none in a second, either, though it says so with status 500. */
enum aws_retry aws_retry_of(int status, const char *code)
{
    if (fnmatch("Insufficient*Capacity", code, 0) == 0)
        return AWS_RETRY_NO;
    if (status == 429 || is_one_of(code, throttled, ARRAY_LEN(throttled)))
        return AWS_RETRY_THROTTLED;
    if (status == 500 || status == 502 || status == 503 || status == 504 ||
        is_one_of(code, transient, ARRAY_LEN(transient)))
        return AWS_RETRY_TRANSIENT;
    return AWS_RETRY_NO;
}

bool aws_not_found(const struct aws_call *c)
{
    static const char *const codes[] = {
        "*NotFound", "NoSuchEntity", "InvalidPlacementGroup.Unknown", "InvalidAMIID.Unavailable"};

    return is_one_of(c->code, codes, ARRAY_LEN(codes));
}

/* hint: {region} and {action} (SERVICE:ACTION) are filled in. */
static const struct meaning {
    const char *code; /* fnmatch(3) */
    enum err_code err;
    const char *hint;
} meanings[] = {
    {"UnauthorizedOperation", ERR_DENIED,
     "the credentials' policies must allow {action} in {region}"},
    {"AccessDenied*", ERR_DENIED, "the credentials' policies must allow {action}"},
    {"ExpiredToken*", ERR_DENIED, "log in again: the session has ended"},
    {"RequestExpired", ERR_DENIED,
     "the session has ended, or the clock of this machine is wrong by more than five minutes"},
    {"SignatureDoesNotMatch", ERR_DENIED,
     "the secret access key does not belong to the key id, or the clock of this machine is wrong"},
    {"AuthFailure", ERR_DENIED,
     "the secret access key does not belong to the key id, the key was deleted, or it is not known "
     "in region {region}: another partition, or a region that the account has not enabled"},
    {"InvalidClientTokenId", ERR_DENIED, "the access key is not known, or not active"},
    {"UnrecognizedClientException", ERR_DENIED, "the access key is not known, or not active"},
    {"OptInRequired", ERR_DENIED,
     "the account has to subscribe to it, or to enable region {region}, in the console"},
    {"PendingVerification", ERR_FAILED,
     "AWS verifies the account for region {region}; that may take four hours"},
    {"Insufficient*Capacity", ERR_FAILED,
     "no room there now: another zone or another instance type"},
    {"*LimitExceeded", ERR_FAILED,
     "a quota of the account in region {region}: raise it under Service Quotas, or remove what is "
     "not "
     "needed"},
};

static void put_hint(const struct aws_call *c, const struct aws_client *client, const char *hint,
                     struct str *out)
{
    while (*hint) {
        size_t len = strcspn(hint, "{");

        str_add(out, hint, len);
        hint += len;
        if (str_starts(hint, "{region}"))
            str_puts(out, client->region);
        else if (str_starts(hint, "{action}"))
            str_printf(out, "%s:%s", c->service->name, c->action);
        hint += strcspn(hint, "}") + (*hint != '\0');
    }
}

int aws_fault(const struct aws_call *c, const struct aws_client *client, const char *message,
              const char *request_id, struct err *err)
{
    const struct meaning *m = NULL;
    struct str hint;

    for (size_t i = 0; i < ARRAY_LEN(meanings) && !m; i++)
        if (fnmatch(meanings[i].code, c->code, 0) == 0)
            m = &meanings[i];
    err_set(err, m ? m->err : ERR_FAILED, "%s: %s%s%s%s", c->code, message,
            *request_id ? " (request " : "", request_id, *request_id ? ")" : "");
    if (!m)
        return -1;
    str_init(&hint, STR_MAX_TEXT);
    put_hint(c, client, m->hint, &hint);
    err_hint(err, "%s", hint.buf);
    str_release(&hint);
    return -1;
}
