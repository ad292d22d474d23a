#define _GNU_SOURCE 1
#include "CLinuxSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static socklen_t numeric(const char *address, uint16_t port, struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof *v6;
    }
    return 0;
}

static int set(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value);
}

static int configure(int socket, const struct cairn_listening *how) {
    if (set(socket, SOL_SOCKET, SO_REUSEADDR, 1) != 0) return -1;
    if (how->shared && set(socket, SOL_SOCKET, SO_REUSEPORT, 1) != 0) return -1;
    if (set(socket, IPPROTO_TCP, TCP_NODELAY, 1) != 0) return -1;
    if (how->defer_seconds && set(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, how->defer_seconds) != 0) return -1;
    if (how->send_buffer && set(socket, SOL_SOCKET, SO_SNDBUF, how->send_buffer) != 0) return -1;
    if (how->receive_buffer && set(socket, SOL_SOCKET, SO_RCVBUF, how->receive_buffer) != 0) return -1;
    if (how->silence_ms && set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, how->silence_ms) != 0) return -1;
    return 0;
}

int cairn_listen(const char *address, uint16_t port, const struct cairn_listening *how) {
    struct sockaddr_storage name;
    socklen_t length = numeric(address, port, &name);
    if (length == 0) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (configure(fd, how) != 0 || bind(fd, (struct sockaddr *)&name, length) != 0 || listen(fd, how->backlog) != 0) {
        int failure = errno;
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

int cairn_port_of(int socket) {
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    if (getsockname(socket, (struct sockaddr *)&name, &length) != 0) return -1;
    if (name.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&name)->sin_port);
    if (name.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
    return -1;
}

int cairn_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

long cairn_receive(int socket, void *buffer, size_t length) { return recv(socket, buffer, length, 0); }

long cairn_send(int socket, const void *bytes, size_t length) { return send(socket, bytes, length, MSG_NOSIGNAL); }

int cairn_unshare_files(void) { return unshare(CLONE_FILES); }

int cairn_close_range(unsigned first, unsigned last) { return (int)syscall(SYS_close_range, first, last, 0); }
