#ifndef CAIRN_CLINUX_SOCKETS_H
#define CAIRN_CLINUX_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// What a loop over many sockets needs. All descriptors are made to close on exec and never wait.

/// How the sockets of a listener are set; they inherit all of it.
struct cairn_listening {
    int backlog;          ///< How many connections may wait to be accepted.
    int shared;           ///< Not 0: several sockets of this user may listen on the port, and share the connections.
    int defer_seconds;    ///< Not 0: a connection is accepted once its first bytes are there, or after so long.
    int send_buffer;      ///< Bytes that the kernel keeps for a peer that does not read; 0: as the system says.
    int receive_buffer;   ///< Bytes that the kernel keeps until they are read; 0: as the system says.
    int silence_ms;       ///< For how long a peer may leave what was sent unacknowledged; 0: as the system says.
};

/// Listens on a numeric address of IPv4 or IPv6. Returns the socket, or -1 with errno set.
int cairn_listen(const char *address, uint16_t port, const struct cairn_listening *how);

/// The port that a socket listens on, or -1.
int cairn_port_of(int socket);

/// Accepts one connection; -1 with EAGAIN when there is none.
int cairn_accept(int listener);

/// `recv`: the bytes received, 0 at the end of the stream, or -1.
long cairn_receive(int socket, void *buffer, size_t length);

/// `send` without SIGPIPE: the bytes that the kernel took, or -1.
long cairn_send(int socket, const void *bytes, size_t length);

/// Gives the calling thread a file table of its own: a copy of what is open. From then on the limit of open files counts
/// for it alone, and what it opens and closes concerns no other thread. 0, or -1.
int cairn_unshare_files(void);

/// Closes all descriptors from `first` to `last`, both included. 0, or -1.
int cairn_close_range(unsigned first, unsigned last);

#endif
