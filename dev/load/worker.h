// One thread that holds up to a table of files full of long polls, each a device with a life of its own.
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "wire.h"

// What a device is at.
typedef enum {
    IDLE,        // without a connection, and content with that
    CONNECTING,  // its request is not sent yet
    PARKED,      // its request is sent and not answered
    ANSWERED,    // it knows the news, keeps its connection and does not poll
    WAITING,     // without a connection; it comes back when its time comes
    ENDED,       // told that its token is worthless (401) or not for this namespace (403); it stays away
    STATES
} State;

typedef struct {
    int fd;
    uint32_t next, previous;    // in the list of its slot of the wheel; by number within the worker
    uint32_t due;               // the tick at which it comes back
    uint8_t state, attempt, server;
    _Atomic uint32_t answers;   // that had news
    _Atomic uint64_t revision;  // that it has seen
    _Atomic uint64_t answered;  // when news came first since this was cleared, by `now_ns`; 0: it did not
} Device;

// What happened since the worker began.
typedef struct {
    _Atomic uint64_t connects, sent;
    _Atomic uint64_t moved, pending, empty;                      // answers: with news, with files on the way, without
    _Atomic uint64_t refused, unauthorized, forbidden, foreign;  // 503 or 429; 401; 403; namespaces of others
    _Atomic uint64_t dropped, failed;                            // connections that ended; errors, the last one beside
    _Atomic int last_error;  // an errno, or 1000 and a status
    _Atomic int64_t in_state[STATES];
} Tally;

// What is the same for all workers. Only the main thread changes it; servers and namespace only while none is parked.
typedef struct {
    Speech speech;
    const Seat *seats;
    struct sockaddr_in servers[2];
    char hosts[2][HOST_ROOM];
    int server_count;           // with two, a device that is cut off tries the other one
    uint32_t patience;          // milliseconds: the first try to come back is spread over so long
    const uint8_t *_Atomic common;  // when set, all devices poll for this namespace
    uint64_t common_revision;
    _Atomic bool polls_again;           // whether a device that has news polls on
    _Atomic bool comes_back;            // whether a device that is cut off comes back
} Plan;

typedef enum { PARK = 1, CLOSE, CUT } Task;

// A job: the task, of how many of the worker's devices, and over how many milliseconds those cut off come back.
typedef struct {
    Task task;
    uint32_t first, count, spread;
} Job;

enum { WHEEL_SLOTS = 4096, TICK_MS = 4 };

typedef struct {
    pthread_t thread;
    const Plan *plan;
    uint32_t number, first_seat, count;
    int mailbox;               // an eventfd: there is a job
    Job job;
    _Atomic bool busy;
    Tally tally;
    Device *devices;
    // The thread's own:
    int poller;
    Mac *mac;
    uint64_t random;
    uint32_t tick, to_open, opens_end;
    uint32_t wheel[WHEEL_SLOTS];
} Worker;

// Nanoseconds of the clock that Python calls monotonic.
uint64_t now_ns(void);

// Starts a worker for some seats.
void start_worker(Worker *worker, const Plan *plan, uint32_t number, uint32_t first_seat, uint32_t count);

// Gives it a job; `busy` tells when it is done. A parking is done when every request was tried once.
void give_job(Worker *worker, Job job);
