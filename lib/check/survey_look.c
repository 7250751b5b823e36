/*
 * survey_look.c - the second trip: which ports of others a host reaches, whether the VIP is free,
 * who sends VRRP on its link, and whether apt can read the cluster's repositories.
 */
#include "lib/base/clock.h"
#include "lib/check/survey.h"
#include "lib/net/pool.h"

#define MAX_ANSWER  ((size_t)256 << 10)
#define MAX_ADVERTS 64
#define LOOK_MS     30000

/* VRRP: RFC 5798, protocol 112; type 1 (advertisement) in the low half of the first byte, then
 * virtual router id and priority. Unicast VRRP between others is not heard. */
/* clang-format off */
static const char functions[] =
    "LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH\n"
    "export LC_ALL PATH\n"
    "say() { printf '%s\\t%s\\n' \"$1\" \"$2\"; }\n"
    "has() { command -v \"$1\" >/dev/null 2>&1; }\n"
    "try() { # NUMBER ADDRESS PORT\n"
    "    status=0\n"
    "    words=$(timeout 2 bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' \"$2\" \"$3\" 2>&1) || status=$?\n"
    "    case $status:$words in\n"
    "    0:*) result=open ;;\n"
    "    124:* | *'No route to host'* | *rohibited* | *'ermission denied'*) result=filtered ;;\n"
    "    *efused*) result=refused ;;\n"
    "    *nreachable*) result=no_route ;;\n"
    "    *) result=unknown ;;\n"
    "    esac\n"
    "    printf 'reach\\t%s\\t%s\\n' \"$1\" $result\n"
    "}\n"
    "# Whoever has the address answers ARP, which a packet to it asks for: anew after 1 s when somebody\n"
    "# has asked in vain just before.\n"
    "look_for() { # VIP\n"
    "    if [ -n \"$(ip -o addr show to \"$1\")\" ]; then\n"
    "        say held 1\n"
    "        return\n"
    "    fi\n"
    "    has bash && bash -c 'echo >\"/dev/udp/$0/9\"' \"$1\"\n"
    "    if has ping; then\n"
    "        ping -n -c 3 -i 0.4 -W 1 \"$1\" >/dev/null && say answered 1\n"
    "    else\n"
    "        sleep 1.5\n"
    "    fi\n"
    "    ip neigh show \"$1\" | sed -n 's/.* lladdr \\([0-9a-f:]*\\) REACHABLE.*/\\1/p' |\n"
    "        while read -r mac; do say mac \"$mac\"; done\n"
    "}\n"
    "# Advertisements come once a second; the group must be joined for the network card to hand them up.\n"
    "vrrp='\n"
    "import socket, struct, sys, time\n"
    "s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))\n"
    "try:\n"
    "    import ctypes\n"
    "    code = ctypes.create_string_buffer(struct.pack(\"HBBI\" * 4, 48, 0, 0, 9, 21, 0, 1, 112, 6, 0, 0, 2048, 6, 0, 0, 0))\n"
    "    s.setsockopt(socket.SOL_SOCKET, 26, struct.pack(\"HL\", 4, ctypes.addressof(code)))\n"
    "except Exception:\n"
    "    pass\n"
    "group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(\"224.0.0.18\") + socket.inet_aton(sys.argv[1]))\n"
    "print(\"heard_by\\tpython3\")\n"
    "heard, end = set(), time.monotonic() + 1.5\n"
    "while len(heard) < 64 and time.monotonic() < end:\n"
    "    s.settimeout(max(0.01, end - time.monotonic()))\n"
    "    try:\n"
    "        packet, sender = s.recvfrom(2048)\n"
    "    except OSError:\n"
    "        break\n"
    "    head = (packet[0] & 15) * 4 if packet else 0\n"
    "    if len(packet) < head + 4 or head < 20 or packet[9] != 112 or sender[2] == 4 or packet[head] & 15 != 1:\n"
    "        continue\n"
    "    heard.add((socket.inet_ntoa(packet[12:16]), packet[head + 1], packet[head + 2]))\n"
    "for advert in heard:\n"
    "    print(\"vrrp\\t%s\\t%d\\t%d\" % advert)\n"
    "'\n"
    "listen() { # ADDRESS\n"
    "    if has python3; then\n"
    "        timeout 5 python3 -c \"$vrrp\" \"$1\"\n"
    "    elif has tcpdump; then\n"
    "        say heard_by tcpdump\n"
    "        timeout 2 tcpdump -n -l -Q in -i any -c 64 ip proto 112 |\n"
    "            sed -n 's/.*IP \\([0-9.]*\\) > .* vrid \\([0-9]*\\), prio \\([0-9]*\\).*/\\1 \\2 \\3/p' |\n"
    "            while read -r source id priority; do printf 'vrrp\\t%s\\t%s\\t%s\\n' \"$source\" \"$id\" \"$priority\"; done\n"
    "    fi\n"
    "}\n"
    "# apt works in a folder of its own, reads no more than what is signed, and changes nothing.\n"
    "read_source() { # NUMBER TEXT [OPTION]\n"
    "    dir=$(mktemp -d) || return\n"
    "    mkdir -p \"$dir/lists/partial\" \"$dir/cache/archives/partial\"\n"
    "    printf '%s\\n' \"$2\" >\"$dir/look.sources\"\n"
    "    number=$1\n"
    "    shift 2\n"
    "    status=0\n"
    "    said=$(timeout 20 apt-get -q \"$@\" -o Dir::Etc::SourceList=\"$dir/look.sources\" -o Dir::Etc::SourceParts=/dev/null \\\n"
    "        -o Dir::State::Lists=\"$dir/lists\" -o Dir::Cache=\"$dir/cache\" -o APT::Sandbox::User=root \\\n"
    "        -o APT::Update::Error-Mode=any -o Acquire::Retries=0 -o Acquire::http::Timeout=8 -o Acquire::https::Timeout=8 \\\n"
    "        -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false \\\n"
    "        -o Acquire::IndexTargets::deb::Translations::DefaultEnabled=false \\\n"
    "        update 2>&1) || status=$?\n"
    "    rm -rf \"$dir\"\n"
    "    case $status in\n"
    "    0) result= ;;\n"
    "    124) result='no answer within 20 s' ;;\n"
    "    *) result=$(printf '%s\\n' \"$said\" | tr '\\t' ' ' | sed -n 's/^[WE]: //p' | head -n 1 | cut -c1-400) ;;\n"
    "    esac\n"
    "    printf 'source\\t%s\\t%s\\t%s\\n' \"$number\" $status \"$result\"\n"
    "}\n"
    "exec 2>/dev/null\n";
/* clang-format on */

static void put_probe(const struct reach_probe *p, size_t number, struct str *script)
{
    str_printf(script, "try %zu ", number);
    str_put_shell(script, p->address);
    str_printf(script, " %d &\n", p->port);
}

static void put_source(const struct host_look *look, size_t number, struct str *script)
{
    char *proxy = look->proxy ? xasprintf("Acquire::http::Proxy=%s", look->proxy) : NULL;

    str_printf(script, "read_source %zu ", number);
    str_put_shell(script, look->sources[number].text);
    if (proxy) {
        str_puts(script, " -o ");
        str_put_shell(script, proxy);
    }
    str_puts(script, " &\n");
    free(proxy);
}

void survey_look_put_script(const struct host_look *look, struct str *script)
{
    str_puts(script, functions);
    if (look->vip) {
        str_puts(script, "listen ");
        str_put_shell(script, look->address);
        str_puts(script, " &\nlook_for ");
        str_put_shell(script, look->vip);
        str_puts(script, " &\n");
    }
    if (look->n_probes > 0) {
        str_puts(script, "if has bash && has timeout; then\n");
        for (size_t i = 0; i < look->n_probes && i < SURVEY_MAX_PROBES; i++)
            put_probe(&look->probes[i], i, script);
        str_puts(script, "fi\n");
    }
    if (look->n_sources > 0) {
        str_puts(script, "if has apt-get && has timeout; then\n");
        for (size_t i = 0; i < look->n_sources; i++)
            put_source(look, i, script);
        str_puts(script, "fi\n");
    }
    str_puts(script, "wait\nsay end 1\n");
}

/* ---- the answer ---- */

#define MAX_WORDS 4

static bool read_number(const char *text, long max, long *out)
{
    char *end;

    *out = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
    return *out >= 0 && *out <= max && !*end;
}

static void read_reach(struct host_look *look, char **word, size_t n)
{
    static const char *const results[] = {[REACH_OPEN] = "open",
                                          [REACH_REFUSED] = "refused",
                                          [REACH_FILTERED] = "filtered",
                                          [REACH_NO_ROUTE] = "no_route"};
    long number;

    if (n < 3 || !read_number(word[1], SURVEY_MAX_PROBES - 1, &number) ||
        (size_t)number >= look->n_probes)
        return;
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        if (results[i] && str_eq(results[i], word[2]))
            look->probes[number].result = (enum reach_result)i;
}

static void read_source(struct host_look *look, char **word, size_t n)
{
    long number, status;

    if (n < 4 || !read_number(word[1], SURVEY_MAX_SOURCES - 1, &number) ||
        (size_t)number >= look->n_sources || !read_number(word[2], 255, &status))
        return;
    look->sources[number].read = status == 0;
    if (status != 0)
        look->sources[number].fault =
            *word[3] ? arena_strdup(&look->arena, word[3])
                     : arena_printf(&look->arena, "apt-get update: exit status %ld", status);
}

static void read_advert(struct host_look *look, char **word, size_t n)
{
    struct vip_facts *v = &look->vip_facts;
    struct vrrp_advert advert;
    long id, priority;

    if (n < 4 || v->adverts.n >= MAX_ADVERTS || !read_number(word[2], 255, &id) ||
        !read_number(word[3], 255, &priority))
        return;
    vec_each (a, &v->adverts)
        if (str_eq(a->source, word[1]) && a->id == id)
            return;
    advert = (struct vrrp_advert){arena_strdup(&look->arena, word[1]), (int)id, (int)priority};
    vec_push(&v->adverts, advert);
}

static void read_line(struct host_look *look, char *line)
{
    struct vip_facts *v = &look->vip_facts;
    char *word[MAX_WORDS] = {NULL};
    size_t n = 0;

    for (char *at = line; at && n < MAX_WORDS; at = strchr(at, '\t')) {
        if (n > 0)
            *at++ = '\0';
        word[n++] = at;
    }
    if (n < 2)
        return;
    if (str_eq(word[0], "reach"))
        read_reach(look, word, n);
    else if (str_eq(word[0], "source"))
        read_source(look, word, n);
    else if (str_eq(word[0], "vrrp"))
        read_advert(look, word, n);
    else if (str_eq(word[0], "held"))
        v->held = true;
    else if (str_eq(word[0], "answered"))
        v->answered = true;
    else if (str_eq(word[0], "mac"))
        v->mac = arena_strdup(&look->arena, word[1]);
    else if (str_eq(word[0], "heard_by"))
        v->heard_by = arena_strdup(&look->arena, word[1]);
    else if (str_eq(word[0], "end"))
        look->done = true;
}

void survey_look_parse(struct host_look *look, const char *text, size_t len)
{
    char line[512];

    for (const char *end = text + len; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n;

        if (!newline) /* cut */
            return;
        n = (size_t)(newline - text);
        if (n < sizeof(line)) {
            memcpy(line, text, n);
            line[n] = '\0';
            for (char *p = line; *p; p++)
                if (*p != '\t' && ((unsigned char)*p < ' ' || (unsigned char)*p > '~'))
                    *p = '?';
            read_line(look, line);
        }
        text = newline + 1;
    }
}

/* ---- the trip ---- */

struct look_trip {
    struct host_look *look;
    struct str out;
};

static void visit(void *ctx, size_t job)
{
    struct look_trip *trip = (struct look_trip *)ctx + job;
    struct host_look *look = trip->look;
    struct str script, errout;
    struct ssh_run run = {.timeout_ms = LOOK_MS, .out = &trip->out, .errout = &errout};
    struct ssh *ssh = ssh_open(&look->target.ssh, &look->err);

    if (!ssh)
        return;
    str_init(&script, STR_MAX_TEXT);
    str_init(&errout, MAX_ANSWER);
    survey_look_put_script(look, &script);
    run.script = script.buf;
    run.script_len = script.len;
    (void)!ssh_script(ssh, &run, &look->err);
    ssh_close(ssh);
    str_release(&script);
    str_release(&errout);
}

static void finish(struct look_trip *trip, bool started)
{
    struct host_look *look = trip->look;

    if (!started)
        err_set(&look->err, ERR_INTERRUPTED, "interrupted");
    survey_look_parse(look, trip->out.buf, trip->out.len);
    if (!look->err.code && !look->done)
        err_set(&look->err, ERR_REMOTE, "%s: the script that looks around ended early",
                look->target.name);
    str_release(&trip->out);
}

void survey_look(struct host_look *looks, size_t n)
{
    struct look_trip *trips = xcalloc(n + 1, sizeof(*trips));
    bool *started = xcalloc(n + 1, sizeof(*started));

    for (size_t i = 0; i < n; i++) {
        if (looks[i].n_probes > SURVEY_MAX_PROBES)
            BUG("%zu probes for %s", looks[i].n_probes, looks[i].target.name);
        if (looks[i].n_sources > SURVEY_MAX_SOURCES)
            BUG("%zu repositories for %s", looks[i].n_sources, looks[i].target.name);
        trips[i].look = &looks[i];
        str_init(&trips[i].out, MAX_ANSWER);
    }
    pool_run(0, n, visit, trips, started);
    for (size_t i = 0; i < n; i++)
        finish(&trips[i], started[i]);
    free(started);
    free(trips);
}

void survey_look_release(struct host_look *look)
{
    vec_release(&look->vip_facts.adverts);
    arena_release(&look->arena);
    err_release(&look->err);
}
