#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    NOBODY = UINT32_MAX,
    MOST_CONNECTING = 128,      // so that the queue of a listener does not run over
    OPENS_A_TURN = 32,
    EVENTS = 512,
    ANSWER_ROOM = 16384,
    LONGEST_WAIT = 60000,       // milliseconds
    FIRST_PORT = 2000,          // below the range that the kernel gives out
    OTHER_PORTS = 22000,        // for a port that a listener on all addresses has taken
    STATUS_ERROR = 1000,
};

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint32_t now_tick(void) { return (uint32_t)(now_ns() / 1000000 / TICK_MS); }

static void count_up(_Atomic uint64_t *counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

static uint64_t draw(Worker *worker) {  // xorshift64*
    worker->random ^= worker->random >> 12;
    worker->random ^= worker->random << 25;
    worker->random ^= worker->random >> 27;
    return worker->random * 0x2545f4914f6cdd1du;
}

static void enter(Worker *worker, Device *device, State state) {
    atomic_fetch_sub_explicit(&worker->tally.in_state[device->state], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->tally.in_state[state], 1, memory_order_relaxed);
    device->state = (uint8_t)state;
}

// ---- Waiting: a wheel of lists, one for each tick

static void unlink_device(Worker *worker, uint32_t index) {
    Device *device = &worker->devices[index];
    if (device->previous == NOBODY) worker->wheel[device->due % WHEEL_SLOTS] = device->next;
    else worker->devices[device->previous].next = device->next;
    if (device->next != NOBODY) worker->devices[device->next].previous = device->previous;
}

// Lets a device wait for some milliseconds. What is beyond a turn of the wheel is looked at once each turn.
static void wait_for(Worker *worker, uint32_t index, uint64_t milliseconds) {
    Device *device = &worker->devices[index];
    uint32_t now = now_tick();
    if (!atomic_load_explicit(&worker->tally.in_state[WAITING], memory_order_relaxed)) worker->tick = now;
    device->due = now + 1 + (uint32_t)(milliseconds / TICK_MS);
    uint32_t *slot = &worker->wheel[device->due % WHEEL_SLOTS];
    device->previous = NOBODY;
    device->next = *slot;
    if (*slot != NOBODY) worker->devices[*slot].previous = index;
    *slot = index;
    enter(worker, device, WAITING);
}

// Full jitter: anywhere between now and a limit that doubles with each try.
static void come_back(Worker *worker, uint32_t index) {
    Device *device = &worker->devices[index];
    uint64_t limit = (uint64_t)worker->plan->patience << (device->attempt < 8 ? device->attempt : 8);
    if (limit > LONGEST_WAIT) limit = LONGEST_WAIT;
    if (device->attempt < UINT8_MAX) device->attempt++;
    wait_for(worker, index, draw(worker) % (limit + 1));
}

// ---- Connections

static void hang_up(Worker *worker, uint32_t index, State state) {
    Device *device = &worker->devices[index];
    if (device->fd >= 0) {
        // A reset leaves no port in TIME_WAIT, so that the device can come back from the same one.
        struct linger at_once = {1, 0};
        setsockopt(device->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(device->fd);
        device->fd = -1;
    }
    enter(worker, device, state);
}

static void note_error(Worker *worker, int error) {
    count_up(&worker->tally.failed);
    atomic_store_explicit(&worker->tally.last_error, error, memory_order_relaxed);
}

// The connection is gone without an answer.
static void lost(Worker *worker, uint32_t index) {
    Device *device = &worker->devices[index];
    count_up(&worker->tally.dropped);
    hang_up(worker, index, IDLE);
    if (!worker->plan->comes_back) return;
    device->server = (uint8_t)((device->server + 1) % worker->plan->server_count);
    come_back(worker, index);
}

static void watch(Worker *worker, uint32_t index, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = index};
    if (epoll_ctl(worker->poller, operation, worker->devices[index].fd, &event)) note_error(worker, errno);
}

static Seat seat_of(Worker *worker, uint32_t index) {
    const Plan *plan = worker->plan;
    Seat seat = plan->seats[worker->first_seat + index];
    seat.revision = atomic_load_explicit(&worker->devices[index].revision, memory_order_relaxed);
    if (plan->common) {
        memcpy(seat.space, plan->common, ID_BYTES);
        seat.revision = plan->common_revision;
    }
    return seat;
}

// Sends the poll, and sees to it that the poller waits for what comes next. `watched` are the events that it waits for
// already; 0 when it does not know the connection yet. A request fits into an empty send buffer: it goes whole or not.
static void send_poll(Worker *worker, uint32_t index, uint32_t watched) {
    Device *device = &worker->devices[index];
    Seat seat = seat_of(worker, index);
    char request[REQUEST_ROOM];
    size_t length = write_poll(worker->mac, &worker->plan->speech, worker->plan->hosts[device->server], &seat,
                               (uint64_t)time(NULL), request);
    ssize_t sent = send(device->fd, request, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    uint32_t events = EPOLLIN;
    if (sent == (ssize_t)length) {
        count_up(&worker->tally.sent);
        enter(worker, device, PARKED);
    } else if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
        events |= EPOLLOUT;
        enter(worker, device, CONNECTING);
    } else {
        note_error(worker, sent < 0 ? errno : EMSGSIZE);
        lost(worker, index);
        return;
    }
    if (events != watched) watch(worker, index, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, events);
}

// A socket with an address and port of its own. When the kernel has to look for a free port, and most are taken, a
// connect costs ten times as much. A server on another machine is reached from the one address that this one has there.
static int bound_socket(Worker *worker, uint32_t index, const struct sockaddr_in *server) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0 || ntohl(server->sin_addr.s_addr) >> 24 != 127) return fd;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + (worker->number << 8))};
    own.sin_port = htons((uint16_t)(FIRST_PORT + index));
    if (!bind(fd, (struct sockaddr *)&own, sizeof own)) return fd;
    own.sin_port = htons((uint16_t)(OTHER_PORTS + index));
    if (errno == EADDRINUSE && !bind(fd, (struct sockaddr *)&own, sizeof own)) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void open_device(Worker *worker, uint32_t index) {
    Device *device = &worker->devices[index];
    const struct sockaddr_in *server = &worker->plan->servers[device->server];
    count_up(&worker->tally.connects);
    device->fd = bound_socket(worker, index, server);
    if (device->fd < 0
        || (connect(device->fd, (const struct sockaddr *)server, sizeof *server) && errno != EINPROGRESS)) {
        note_error(worker, errno);
        lost(worker, index);
        return;
    }
    send_poll(worker, index, 0);
}

// ---- Answers

static void refuse_for_good(Worker *worker, uint32_t index, int status) {
    count_up(status == 401 ? &worker->tally.unauthorized : &worker->tally.forbidden);
    atomic_store(&worker->devices[index].answered, now_ns());
    hang_up(worker, index, ENDED);
}

static void refuse_for_now(Worker *worker, uint32_t index, const Answer *answer) {
    count_up(&worker->tally.refused);
    hang_up(worker, index, IDLE);
    // The server says when; those that it told the same still spread over a second.
    if (answer->retry_after) wait_for(worker, index, answer->retry_after * 1000u + draw(worker) % 1000);
    else come_back(worker, index);
}

// Notes what a good answer says. Answers whether it was news.
static bool note_news(Worker *worker, Device *device, const Answer *answer, uint64_t seen, uint64_t now) {
    if (answer->foreign) atomic_fetch_add(&worker->tally.foreign, answer->foreign);
    if (answer->pending) count_up(&worker->tally.pending);
    if (!answer->revision) count_up(&worker->tally.empty);
    if (answer->revision <= seen) return false;
    count_up(&worker->tally.moved);
    if (!worker->plan->common) atomic_store_explicit(&device->revision, answer->revision, memory_order_relaxed);
    atomic_fetch_add_explicit(&device->answers, 1, memory_order_relaxed);
    uint64_t never = 0;
    atomic_compare_exchange_strong(&device->answered, &never, now);
    return true;
}

// What a device does after a good answer: it polls on, or keeps still.
static void go_on(Worker *worker, uint32_t index, bool news, bool closes) {
    Device *device = &worker->devices[index];
    device->attempt = 0;
    bool again = !news || worker->plan->polls_again;
    if (closes) {
        hang_up(worker, index, again ? IDLE : ANSWERED);
        if (again && news) {
            open_device(worker, index);
        } else if (again) {  // no news, and no more of this connection: the server drains
            device->server = (uint8_t)((device->server + 1) % worker->plan->server_count);
            come_back(worker, index);
        }
    } else if (again) {
        send_poll(worker, index, EPOLLIN);
    } else {
        enter(worker, device, ANSWERED);
    }
}

static void take_answer(Worker *worker, uint32_t index, const char *bytes, Answer *answer, uint64_t now) {
    Device *device = &worker->devices[index];
    if (answer->status == 401 || answer->status == 403) {
        refuse_for_good(worker, index, answer->status);
    } else if (answer->status == 503 || answer->status == 429) {
        refuse_for_now(worker, index, answer);
    } else if (answer->status != 200) {
        note_error(worker, STATUS_ERROR + answer->status);
        lost(worker, index);
    } else {
        Seat seat = seat_of(worker, index);
        size_t body = answer->length - answer->body;
        if (worker->plan->speech.dialect == NCHAN) {
            answer->revision = seat.revision + 1;
        } else if (!read_moved(bytes + answer->body, body, seat.space, answer)) {
            note_error(worker, EBADMSG);
            lost(worker, index);
            return;
        }
        go_on(worker, index, note_news(worker, device, answer, seat.revision, now), answer->closes);
    }
}

// Looks at what came, and takes it once it is a whole answer.
static void receive(Worker *worker, uint32_t index) {
    Device *device = &worker->devices[index];
    char bytes[ANSWER_ROOM];
    ssize_t count = recv(device->fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);
    uint64_t now = now_ns();
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 && device->state == ANSWERED) {
        hang_up(worker, index, ANSWERED);
        return;
    }
    if (count <= 0) {
        lost(worker, index);
        return;
    }
    Answer answer;
    Reading reading = read_head(bytes, (size_t)count, &answer);
    if (reading == INCOMPLETE && count < ANSWER_ROOM) return;
    if (reading != WHOLE || device->state != PARKED) {
        note_error(worker, EBADMSG);
        lost(worker, index);
        return;
    }
    recv(device->fd, bytes, answer.length, MSG_DONTWAIT);
    take_answer(worker, index, bytes, &answer, now);
}

// ---- Jobs

static void close_devices(Worker *worker) {
    for (uint32_t index = worker->job.first; index < worker->job.first + worker->job.count; index++) {
        Device *device = &worker->devices[index];
        if (device->state == WAITING) unlink_device(worker, index);
        hang_up(worker, index, IDLE);
        device->attempt = 0;
    }
}

// Cuts parked devices off; each comes back within the spread.
static void cut_devices(Worker *worker) {
    uint32_t left = worker->job.count;
    for (uint32_t index = worker->job.first; index < worker->count && left; index++) {
        if (worker->devices[index].state != PARKED) continue;
        hang_up(worker, index, IDLE);
        wait_for(worker, index, draw(worker) % (worker->job.spread + 1));
        left--;
    }
}

static void begin_job(Worker *worker) {
    uint64_t count;
    if (read(worker->mailbox, &count, sizeof count) != sizeof count) return;
    switch (worker->job.task) {
    case PARK:
        worker->to_open = worker->job.first;
        worker->opens_end = worker->job.first + worker->job.count;
        if (worker->job.count) return;
        break;
    case CLOSE: close_devices(worker); break;
    case CUT: cut_devices(worker); break;
    }
    atomic_store(&worker->busy, false);
}

static bool may_open(const Worker *worker) {
    return atomic_load_explicit(&worker->tally.in_state[CONNECTING], memory_order_relaxed) < MOST_CONNECTING;
}

// Opens some more of those that are to park, as long as not too many are on their way.
static void open_some(Worker *worker) {
    for (int turn = 0; turn < OPENS_A_TURN && worker->to_open < worker->opens_end && may_open(worker); turn++) {
        uint32_t index = worker->to_open++;
        Device *device = &worker->devices[index];
        if (device->state == IDLE || (device->state == ANSWERED && device->fd < 0)) open_device(worker, index);
        else if (device->state == ANSWERED) send_poll(worker, index, EPOLLIN);
    }
    if (worker->to_open == worker->opens_end) atomic_store(&worker->busy, false);
}

// Goes through the slots of the ticks that passed.
static void wake_waiting(Worker *worker) {
    uint32_t now = now_tick();
    for (; (int32_t)(now - worker->tick) > 0; worker->tick++) {
        uint32_t following;
        for (uint32_t index = worker->wheel[worker->tick % WHEEL_SLOTS]; index != NOBODY; index = following) {
            following = worker->devices[index].next;
            if ((int32_t)(worker->devices[index].due - worker->tick) > 0) continue;
            unlink_device(worker, index);
            open_device(worker, index);
        }
    }
}

static void handle(Worker *worker, const struct epoll_event *event) {
    uint32_t index = event->data.u32;
    if (index == NOBODY) {
        begin_job(worker);
        return;
    }
    Device *device = &worker->devices[index];
    if (device->fd < 0) return;
    if (device->state == CONNECTING) send_poll(worker, index, EPOLLIN | EPOLLOUT);
    else receive(worker, index);
}

static void *work(void *argument) {
    Worker *worker = argument;
    // A table of files of its own: the limit is one for each table, not for the process.
    if (unshare(CLONE_FILES) || (worker->poller = epoll_create1(EPOLL_CLOEXEC)) < 0) {
        perror("a worker can't have files of its own");
        exit(1);
    }
    struct epoll_event mail = {.events = EPOLLIN, .data.u32 = NOBODY}, events[EVENTS];
    epoll_ctl(worker->poller, EPOLL_CTL_ADD, worker->mailbox, &mail);
    for (;;) {
        bool opens = worker->to_open < worker->opens_end;
        bool waits = atomic_load_explicit(&worker->tally.in_state[WAITING], memory_order_relaxed) > 0;
        int patience = opens ? !may_open(worker) : waits ? TICK_MS : -1;
        int count = epoll_wait(worker->poller, events, EVENTS, patience);
        for (int at = 0; at < count; at++) handle(worker, &events[at]);
        if (waits) wake_waiting(worker);
        if (opens) open_some(worker);
    }
    return NULL;
}

void start_worker(Worker *worker, const Plan *plan, uint32_t number, uint32_t first_seat, uint32_t count) {
    worker->plan = plan;
    worker->number = number;
    worker->first_seat = first_seat;
    worker->count = count;
    worker->random = 0x9e3779b97f4a7c15u * (number + 1);
    worker->devices = calloc(count, sizeof *worker->devices);
    worker->mac = make_mac(plan->speech.key);
    worker->mailbox = eventfd(0, EFD_CLOEXEC);
    if (!worker->devices || worker->mailbox < 0) {
        perror("a worker can't start");
        exit(1);
    }
    for (uint32_t index = 0; index < count; index++) {
        worker->devices[index].fd = -1;
        worker->devices[index].revision = plan->seats[first_seat + index].revision;
    }
    memset(worker->wheel, 0xff, sizeof worker->wheel);
    worker->tally.in_state[IDLE] = count;
    if (pthread_create(&worker->thread, NULL, work, worker)) {
        perror("a worker can't start");
        exit(1);
    }
}

void give_job(Worker *worker, Job job) {
    uint64_t one = 1;
    worker->job = job;
    atomic_store(&worker->busy, true);
    if (write(worker->mailbox, &one, sizeof one) != sizeof one) perror("a job was lost");
}
