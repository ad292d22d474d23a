// Holds very many long polls, each a device with a token, a cursor and a connection of its own, and measures when they
// hear of news. On the loopback each has an address and port of its own too. dev/bench notify and dev/drill start it and
// speak to it.
//
//     notify-load TABLE [-k KEY] [-v VERSION] [-t SECONDS] [-l SECONDS] [-p MILLISECONDS] [-w DEVICES] [-n]
//
// TABLE holds the devices, 56 bytes each: account, device and namespace (16 bytes each), and the revision of the cursor
// (8 bytes, little-endian). KEY is the poll key in hexadecimal digits, VERSION its version; -t is what a poll asks for,
// -l how long a token is good, -p over how long a crowd spreads at first when it comes back, -w how many devices share
// one table of files, -n speaks to nchan.
//
// Commands come line by line, and each is answered by one line of JSON. FIRST and COUNT are lines of the table.
//
//     servers HOST:PORT [HOST:PORT]   where to poll; with two, who is cut off goes to the other one
//     set again|back 0|1              whether who has news polls on; whether who is cut off comes back
//     park FIRST COUNT SECONDS        polls, and waits until all are parked, so long at most
//     cut COUNT SPREAD SECONDS        cuts parked devices off, which come back within SPREAD milliseconds, and waits
//     settle SECONDS                  waits until nobody is on the way
//     close                           ends all connections
//     wake FIRST COUNT SECONDS HOST:PORT REQUEST
//                                     sends a request (hexadecimal), and says when its answer came and when each device
//                                     had news, in nanoseconds after the sending; null for who had none in time
//     all SECONDS HOST:PORT REQUEST   the same for all parked devices, summed up
//     common LINE REVISION, own       all devices poll for the namespace of one line from now on; for their own again
//     devices FIRST COUNT             what each of them knows
//     status                          counters since the start
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker.h"

enum {
    LINE_ROOM = 65536,
    RESERVED_FILES = 200,
    MOST_DEVICES_A_WORKER = 20000,
    MOST_PARKING = 4,  // workers that open connections at once: more would only take turns on a small machine
    GLANCE_US = 200,   // how often a result is looked for; moments are noted by the workers themselves
};

static Plan plan = {
    .speech = {.dialect = CAIRN, .key_version = 1, .timeout = 3600, .token_lifetime = 600},
    .server_count = 1, .patience = 4000, .polls_again = true, .comes_back = true,
};
static Worker *workers;
static uint32_t worker_count, seat_count, seats_a_worker;

static void fail(const char *what) {
    fprintf(stderr, "notify-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

// ---- What all workers do

static Device *device_at(uint32_t seat) {
    return &workers[seat / seats_a_worker].devices[seat % seats_a_worker];
}

static int64_t in_state(State state) {
    int64_t sum = 0;
    for (uint32_t at = 0; at < worker_count; at++) sum += atomic_load(&workers[at].tally.in_state[state]);
    return sum;
}

#define SUM(counter) sum_of(offsetof(Tally, counter))
static uint64_t sum_of(size_t offset) {
    uint64_t sum = 0;
    for (uint32_t at = 0; at < worker_count; at++)
        sum += atomic_load((_Atomic uint64_t *)((char *)&workers[at].tally + offset));
    return sum;
}

static uint32_t count_busy(void) {
    uint32_t count = 0;
    for (uint32_t at = 0; at < worker_count; at++) count += atomic_load(&workers[at].busy);
    return count;
}

static uint64_t deadline_after(double seconds) { return now_ns() + (uint64_t)(seconds * 1e9); }

// Waits until nobody is on the way; false when the time is over.
static bool settle(double seconds) {
    uint64_t deadline = deadline_after(seconds);
    while (count_busy() || in_state(CONNECTING) || in_state(WAITING)) {
        if (now_ns() > deadline) return false;
        usleep(1000);
    }
    return true;
}

// Gives each worker the part of a range of seats that is its own.
static void do_for_range(Task task, uint32_t first, uint32_t count) {
    for (uint32_t at = 0; at < worker_count; at++) {
        uint32_t begin = workers[at].first_seat, end = begin + workers[at].count;
        uint32_t from = first > begin ? first : begin, to = first + count < end ? first + count : end;
        while (task == PARK && count_busy() >= MOST_PARKING) usleep(GLANCE_US);
        if (from < to) give_job(&workers[at], (Job){task, from - begin, to - from, 0});
    }
}

static void print_status(const char *command, double seconds, bool complete) {
    int error = 0;
    for (uint32_t at = 0; at < worker_count && !error; at++) error = atomic_load(&workers[at].tally.last_error);
    printf("{\"command\": \"%s\", \"seconds\": %.6f, ", command, seconds);
    printf("\"complete\": %s, ", complete ? "true" : "false");
    printf("\"idle\": %ld, \"connecting\": %ld, \"parked\": %ld, \"answered\": %ld, \"waiting\": %ld, \"ended\": %ld, ",
           in_state(IDLE), in_state(CONNECTING), in_state(PARKED), in_state(ANSWERED), in_state(WAITING),
           in_state(ENDED));
    printf("\"connects\": %lu, \"sent\": %lu, \"moved\": %lu, \"pending\": %lu, \"empty\": %lu, \"refused\": %lu, ",
           SUM(connects), SUM(sent), SUM(moved), SUM(pending), SUM(empty), SUM(refused));
    printf("\"dropped\": %lu, \"unauthorized\": %lu, \"forbidden\": %lu, \"foreign\": %lu, \"failed\": %lu, ",
           SUM(dropped), SUM(unauthorized), SUM(forbidden), SUM(foreign), SUM(failed));
    printf("\"last_error\": %d}\n", error);
}

static void refuse(const char *why) { printf("{\"error\": \"%s\"}\n", why); }

// ---- The request that moves a namespace, over a connection that is kept

typedef struct {
    uint64_t started, acknowledged;
    int status;  // 0: it could not be sent, or was not answered
} Trigger;

static bool parse_address(const char *text, struct sockaddr_in *address) {
    char host[HOST_ROOM];
    unsigned port;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || port > 65535) return false;
    address->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

static int dial(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct timeval limit = {60, 0};
    if (fd < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (!connect(fd, (const struct sockaddr *)address, sizeof *address)) return fd;
    close(fd);
    return -1;
}

// Waits for the answer. False when the connection ended or its bytes are none.
static bool await_answer(int fd, Answer *answer) {
    char bytes[8192];
    size_t have = 0;
    for (;;) {
        ssize_t count = recv(fd, bytes + have, sizeof bytes - have, 0);
        if (count <= 0) return false;
        have += (size_t)count;
        Reading reading = read_head(bytes, have, answer);
        if (reading == WHOLE) return true;
        if (reading == MALFORMED || have == sizeof bytes) return false;
    }
}

static Trigger trigger(const struct sockaddr_in *address, const uint8_t *request, size_t length) {
    static int fd = -1;
    static struct sockaddr_in peer;
    bool same = fd >= 0 && peer.sin_port == address->sin_port && peer.sin_addr.s_addr == address->sin_addr.s_addr;
    if (!same && fd >= 0) close(fd);
    if (!same) fd = dial(address);
    peer = *address;
    Trigger result = {.started = now_ns()};
    Answer answer;
    if (fd >= 0 && send(fd, request, length, MSG_NOSIGNAL) == (ssize_t)length && await_answer(fd, &answer)) {
        result.acknowledged = now_ns();
        result.status = answer.status;
        if (!answer.closes) return result;
    }
    if (fd >= 0) close(fd);
    fd = -1;
    return result;
}

// Reads "HOST:PORT HEX" into an address and the request, which replaces the digits. False when it is none.
static bool parse_trigger(char *text, struct sockaddr_in *address, uint8_t **request, size_t *length) {
    char *digits = strchr(text, ' ');
    if (!digits) return false;
    *digits++ = 0;
    if (!parse_address(text, address)) return false;
    *request = (uint8_t *)digits;
    *length = strlen(digits) / 2;
    for (size_t at = 0; at < *length; at++) {
        unsigned byte;
        if (sscanf(digits + 2 * at, "%2x", &byte) != 1) return false;
        (*request)[at] = (uint8_t)byte;  // it fills half of what was read already
    }
    return *length > 0;
}

// ---- Commands

static bool in_table(uint32_t first, uint32_t count) {
    return count > 0 && first < seat_count && count <= seat_count - first;
}

static void command_servers(const char *words) {
    char hosts[2][HOST_ROOM];
    int count = sscanf(words, "%63s %63s", hosts[0], hosts[1]);
    for (int at = 0; at < count; at++) {
        if (!parse_address(hosts[at], &plan.servers[at])) return refuse("servers HOST:PORT [HOST:PORT]");
        memcpy(plan.hosts[at], hosts[at], HOST_ROOM);
    }
    if (count < 1) return refuse("servers HOST:PORT [HOST:PORT]");
    plan.server_count = count;
    for (uint32_t seat = 0; seat < seat_count; seat++) device_at(seat)->server = 0;
    print_status("servers", 0, true);
}

static void command_set(const char *words) {
    char name[16];
    int value;
    if (sscanf(words, "%15s %d", name, &value) != 2) return refuse("set again|back 0|1");
    if (!strcmp(name, "again")) plan.polls_again = value;
    else if (!strcmp(name, "back")) plan.comes_back = value;
    else return refuse("set again|back 0|1");
    print_status("set", 0, true);
}

static void command_park(const char *words) {
    uint32_t first, count;
    double seconds;
    if (sscanf(words, "%u %u %lf", &first, &count, &seconds) != 3 || !in_table(first, count))
        return refuse("park FIRST COUNT SECONDS");
    uint64_t start = now_ns();
    do_for_range(PARK, first, count);
    bool complete = settle(seconds);
    print_status("park", (double)(now_ns() - start) / 1e9, complete);
}

static void command_cut(const char *words) {
    uint32_t count, spread;
    double seconds;
    if (sscanf(words, "%u %u %lf", &count, &spread, &seconds) != 3) return refuse("cut COUNT SPREAD SECONDS");
    uint64_t start = now_ns();
    for (uint32_t at = 0; at < worker_count; at++) {
        uint64_t first = workers[at].first_seat, end = first + workers[at].count;
        uint32_t part = (uint32_t)(count * end / seat_count - count * first / seat_count);
        give_job(&workers[at], (Job){CUT, 0, part, spread});
    }
    bool complete = settle(seconds);
    print_status("cut", (double)(now_ns() - start) / 1e9, complete);
}

static void command_settle(const char *words) {
    uint64_t start = now_ns();
    bool complete = settle(atof(words));
    print_status("settle", (double)(now_ns() - start) / 1e9, complete);
}

static void command_close(void) {
    uint64_t start = now_ns();
    do_for_range(CLOSE, 0, seat_count);
    bool complete = settle(600);
    print_status("close", (double)(now_ns() - start) / 1e9, complete);
}

static void await_news(uint32_t first, uint32_t count, uint64_t deadline) {
    for (uint32_t seat = first; seat < first + count; seat++)
        while (!atomic_load(&device_at(seat)->answered) && now_ns() < deadline) usleep(GLANCE_US);
}

static void print_trigger(const char *command, const Trigger *moved) {
    printf("{\"command\": \"%s\", \"status\": %d, \"acknowledged\": %ld", command, moved->status,
           moved->status ? (long)(moved->acknowledged - moved->started) : 0);
}

static void command_wake(char *words) {
    uint32_t first, count;
    double seconds;
    int read = 0;
    struct sockaddr_in address;
    uint8_t *request;
    size_t length;
    if (sscanf(words, "%u %u %lf %n", &first, &count, &seconds, &read) != 3 || !in_table(first, count)
        || !parse_trigger(words + read, &address, &request, &length))
        return refuse("wake FIRST COUNT SECONDS HOST:PORT REQUEST");
    for (uint32_t seat = first; seat < first + count; seat++) atomic_store(&device_at(seat)->answered, 0);
    Trigger moved = trigger(&address, request, length);
    await_news(first, count, deadline_after(seconds));
    print_trigger("wake", &moved);
    printf(", \"answers\": [");
    for (uint32_t seat = first; seat < first + count; seat++) {
        uint64_t at = atomic_load(&device_at(seat)->answered);
        printf(seat > first ? ", " : "");
        if (at) printf("%ld", (long)(at - moved.started));
        else printf("null");
    }
    printf("]}\n");
}

static int by_value(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// Prints how many of all devices had news after a moment, and when.
static void print_spread(uint64_t started) {
    uint64_t *times = malloc(seat_count * sizeof *times);
    uint32_t count = 0;
    if (!times) fail("memory");
    for (uint32_t seat = 0; seat < seat_count; seat++) {
        uint64_t at = atomic_load(&device_at(seat)->answered);
        if (at) times[count++] = at - started;
    }
    qsort(times, count, sizeof *times, by_value);
    printf(", \"answers\": %u", count);
    if (count) printf(", \"first\": %lu, \"median\": %lu, \"last\": %lu", times[0], times[count / 2], times[count - 1]);
    free(times);
}

static void command_all(char *words) {
    double seconds;
    int read = 0;
    struct sockaddr_in address;
    uint8_t *request;
    size_t length;
    if (sscanf(words, "%lf %n", &seconds, &read) != 1 || !parse_trigger(words + read, &address, &request, &length))
        return refuse("all SECONDS HOST:PORT REQUEST");
    for (uint32_t seat = 0; seat < seat_count; seat++) atomic_store(&device_at(seat)->answered, 0);
    uint64_t parked = (uint64_t)in_state(PARKED), before = SUM(moved);
    Trigger moved = trigger(&address, request, length);
    uint64_t deadline = deadline_after(seconds);
    while (SUM(moved) - before < parked && now_ns() < deadline) usleep(GLANCE_US);
    print_trigger("all", &moved);
    print_spread(moved.started);
    printf(", \"expected\": %lu}\n", parked);
}

static void command_common(const char *words) {
    uint32_t seat;
    unsigned long revision;
    if (sscanf(words, "%u %lu", &seat, &revision) != 2 || !in_table(seat, 1)) return refuse("common LINE REVISION");
    plan.common = plan.seats[seat].space;
    plan.common_revision = revision;
    print_status("common", 0, true);
}

static void command_own(void) {
    plan.common = NULL;
    print_status("own", 0, true);
}

static void command_devices(const char *words) {
    static const char *const names[STATES] = {"idle", "connecting", "parked", "answered", "waiting", "ended"};
    uint32_t first, count;
    if (sscanf(words, "%u %u", &first, &count) != 2 || !in_table(first, count)) return refuse("devices FIRST COUNT");
    printf("{\"command\": \"devices\", \"now\": %lu, \"devices\": [", now_ns());
    for (uint32_t seat = first; seat < first + count; seat++) {
        Device *device = device_at(seat);
        printf("%s{\"state\": \"%s\", \"server\": %d, \"revision\": %lu, \"answers\": %u, \"answered\": %lu}",
               seat > first ? ", " : "", names[device->state], device->server, atomic_load(&device->revision),
               atomic_load(&device->answers), atomic_load(&device->answered));
    }
    printf("]}\n");
}

// Does what a line says. False when it was the last one.
static bool obey(char *line) {
    line[strcspn(line, "\n")] = 0;
    size_t length = strcspn(line, " ");
    char *words = line + length + (line[length] == ' ');
    line[length] = 0;
    if (!strcmp(line, "quit")) return false;
    if (!strcmp(line, "servers")) command_servers(words);
    else if (!strcmp(line, "set")) command_set(words);
    else if (!strcmp(line, "park")) command_park(words);
    else if (!strcmp(line, "cut")) command_cut(words);
    else if (!strcmp(line, "settle")) command_settle(words);
    else if (!strcmp(line, "close")) command_close();
    else if (!strcmp(line, "wake")) command_wake(words);
    else if (!strcmp(line, "all")) command_all(words);
    else if (!strcmp(line, "common")) command_common(words);
    else if (!strcmp(line, "own")) command_own();
    else if (!strcmp(line, "devices")) command_devices(words);
    else if (!strcmp(line, "status")) print_status("status", 0, true);
    else refuse("unknown command");
    return true;
}

// ---- The start

static void map_table(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) || status.st_size < (off_t)sizeof(Seat)) fail(path);
    seat_count = (uint32_t)(status.st_size / (off_t)sizeof(Seat));
    plan.seats = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (plan.seats == MAP_FAILED) fail(path);
    close(fd);
}

static void read_key(const char *digits) {
    for (int at = 0; at < KEY_BYTES; at++) {
        unsigned byte;
        if (sscanf(digits + 2 * at, "%2x", &byte) != 1) {
            errno = EINVAL;
            fail("the key");
        }
        plan.speech.key[at] = (uint8_t)byte;
    }
}

static void read_options(int count, char **words) {
    for (int option; (option = getopt(count, words, "k:v:t:l:p:w:n")) != -1;) switch (option) {
        case 'k': read_key(optarg); break;
        case 'v': plan.speech.key_version = (uint32_t)atoi(optarg); break;
        case 't': plan.speech.timeout = (uint32_t)atoi(optarg); break;
        case 'l': plan.speech.token_lifetime = (uint32_t)atoi(optarg); break;
        case 'p': plan.patience = (uint32_t)atoi(optarg); break;
        case 'w': seats_a_worker = (uint32_t)atoi(optarg); break;
        case 'n': plan.speech.dialect = NCHAN; break;
        default: exit(2);
    }
    if (optind != count - 1) {
        fprintf(stderr, "notify-load: one table is expected\n");
        exit(2);
    }
}

// As few workers as the limit of open files allows, each with about as many devices.
static void start_workers(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files)) fail("the limit of open files");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    uint64_t most = files.rlim_cur > RESERVED_FILES ? files.rlim_cur - RESERVED_FILES : 1;
    if (most > MOST_DEVICES_A_WORKER) most = MOST_DEVICES_A_WORKER;
    if (!seats_a_worker || seats_a_worker > most) seats_a_worker = (uint32_t)most;
    worker_count = (seat_count + seats_a_worker - 1) / seats_a_worker;
    seats_a_worker = (seat_count + worker_count - 1) / worker_count;
    worker_count = (seat_count + seats_a_worker - 1) / seats_a_worker;
    workers = calloc(worker_count, sizeof *workers);
    if (!workers) fail("memory");
    for (uint32_t at = 0; at < worker_count; at++) {
        uint32_t first = at * seats_a_worker, left = seat_count - first;
        start_worker(&workers[at], &plan, at, first, left < seats_a_worker ? left : seats_a_worker);
    }
}

int main(int count, char **words) {
    static char line[LINE_ROOM];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOFBF, LINE_ROOM);
    read_options(count, words);
    map_table(words[optind]);
    start_workers();
    print_status("start", 0, true);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && obey(line)) fflush(stdout);
    fflush(stdout);
    return 0;
}
