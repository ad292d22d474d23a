#ifndef CAIRN_CLINUX_H
#define CAIRN_CLINUX_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CLinuxSockets.h"

// What the Swift overlay of the C library leaves out: calls with a variable
// number of arguments, and those that need _GNU_SOURCE. That macro is defined in
// CLinux.c alone: here it would give the types of the C library another form
// than Swift's own module of it knows.

/// What one `statx` answers of a directory entry; times in nanoseconds since 1970.
struct cairn_stat {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
    int64_t btime_ns;  ///< 0 where the file system does not record births.
    uint64_t mount;    ///< Names the mount that the entry lies on; 0 where the kernel does not say.
    uint32_t mode;     ///< Type and permission bits, as in `st_mode`.
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
};

/// Status of `name` in the directory `directory` (or of `directory` itself when `name` is empty),
/// never following a symbolic link. Returns 0, or -1 with errno set.
int cairn_statat(int directory, const char *name, struct cairn_stat *out);

/// `openat` with its variable argument made plain; O_CLOEXEC is always added.
int cairn_openat(int directory, const char *name, int flags, mode_t mode);

/// Opens what is at a path of several names below `directory`. No symbolic link is followed, the last name included,
/// and no `..` leads out: ELOOP or EXDEV otherwise. ENOSYS on kernels before 5.6.
int cairn_open_beneath(int directory, const char *path, int flags);

/// Opens a path for its identity alone: neither readable nor writable, and without the right to either.
int cairn_open_path(int directory, const char *name);

/// Reads directory entries as the kernel packs them (`struct linux_dirent64`); the bytes read, 0 at the end, or -1.
long cairn_getdents(int directory, void *buffer, size_t length);

/// Renames, failing with EEXIST instead of replacing what is at the target.
int cairn_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to);

/// Swaps two existing entries in one step.
int cairn_rename_exchange(int a_dir, const char *a, int b_dir, const char *b);

/// 1 when some process has the file open for writing, 0 when none has, -1 when the kernel will not say
/// (a file that this user does not own, a file system without leases). `fd` must be open for reading only.
int cairn_open_for_writing(int fd);

/// Takes a lease: while it is held, whoever opens the file for writing waits until it is let go (or 45 s have passed).
/// 0, or -1 with EAGAIN when some process has the file open for writing already. `fd` must be open for reading only.
int cairn_hold_writers(int fd);

/// Lets the lease go. 1 when a writer was kept waiting, else 0.
int cairn_release_writers(int fd);

/// An exclusive lock on an open file, held until the descriptor closes; -1 with EWOULDBLOCK when another holds it.
int cairn_lock_exclusive(int fd);

/// Sets access and modification time of an entry without following symbolic links.
int cairn_set_times(int directory, const char *name, int64_t mtime_ns);

/// Sets the modification time of an open file.
int cairn_set_file_times(int fd, int64_t mtime_ns);

/// Flushes the whole file system that holds `fd`.
int cairn_syncfs(int fd);

/// A pipe whose ends close on exec and never wait; the reading end first.
int cairn_pipe(int ends[2]);

/// Makes the calling thread alone act on files as another user, without the rights of the superuser.
/// Returns the user that it acted as before.
int cairn_act_as(uid_t user);

/// Bounds the number of arenas of the C library's allocator. To be called before there are threads.
void cairn_bound_arenas(int arenas);

/// Gives memory back to the system as it is freed: allocations from `mapped_from` bytes on are mappings of their own,
/// and at most `kept` bytes stay unused at the end of the heap. Without it the C library raises both bounds by
/// itself, up to 32 MiB, as soon as one large allocation is freed.
void cairn_return_memory(int mapped_from, int kept);

#endif
