#define _GNU_SOURCE 1
#include "CLinux.h"

#include <linux/openat2.h>
#include <malloc.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

int cairn_statat(int directory, const char *name, struct cairn_stat *out) {
    struct statx s;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] == 0 ? AT_EMPTY_PATH : 0);
    if (statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &s) != 0) return -1;
    out->device = ((uint64_t)s.stx_dev_major << 32) | s.stx_dev_minor;
    out->inode = s.stx_ino;
    out->size = s.stx_size;
    out->mtime_ns = (int64_t)s.stx_mtime.tv_sec * 1000000000 + s.stx_mtime.tv_nsec;
    out->ctime_ns = (int64_t)s.stx_ctime.tv_sec * 1000000000 + s.stx_ctime.tv_nsec;
    out->btime_ns = (s.stx_mask & STATX_BTIME)
        ? (int64_t)s.stx_btime.tv_sec * 1000000000 + s.stx_btime.tv_nsec : 0;
    out->mount = (s.stx_mask & STATX_MNT_ID) ? s.stx_mnt_id : 0;
    out->mode = s.stx_mode;
    out->links = s.stx_nlink;
    out->uid = s.stx_uid;
    out->gid = s.stx_gid;
    return 0;
}

int cairn_openat(int directory, const char *name, int flags, mode_t mode) {
    return openat(directory, name, flags | O_CLOEXEC, mode);
}

int cairn_open_beneath(int directory, const char *path, int flags) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int cairn_open_path(int directory, const char *name) {
    return openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

long cairn_getdents(int directory, void *buffer, size_t length) {
    return syscall(SYS_getdents64, directory, buffer, length);
}

int cairn_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to) {
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

int cairn_rename_exchange(int a_dir, const char *a, int b_dir, const char *b) {
    return (int)syscall(SYS_renameat2, a_dir, a, b_dir, b, RENAME_EXCHANGE);
}

int cairn_hold_writers(int fd) {
    // When a writer comes, the kernel signals the holder of the lease: by default with SIGIO, which kills. SIGURG is
    // ignored where nobody asks for it.
    fcntl(fd, F_SETSIG, SIGURG);
    return fcntl(fd, F_SETLEASE, F_RDLCK);
}

int cairn_release_writers(int fd) {
    int broken = fcntl(fd, F_GETLEASE) != F_RDLCK;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return broken;
}

int cairn_open_for_writing(int fd) {
    if (cairn_hold_writers(fd) == 0) {
        cairn_release_writers(fd);
        return 0;
    }
    return errno == EAGAIN ? 1 : -1;
}

int cairn_lock_exclusive(int fd) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole);
}

static void modification(int64_t mtime_ns, struct timespec times[2]) {
    int64_t seconds = mtime_ns / 1000000000, rest = mtime_ns % 1000000000;
    if (rest < 0) { rest += 1000000000; seconds -= 1; }
    times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
    times[1] = (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

int cairn_set_times(int directory, const char *name, int64_t mtime_ns) {
    struct timespec times[2];
    modification(mtime_ns, times);
    return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

int cairn_set_file_times(int fd, int64_t mtime_ns) {
    struct timespec times[2];
    modification(mtime_ns, times);
    return futimens(fd, times);
}

int cairn_syncfs(int fd) { return syncfs(fd); }

int cairn_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int cairn_act_as(uid_t user) { return setfsuid(user); }

void cairn_bound_arenas(int arenas) { mallopt(M_ARENA_MAX, arenas); }

void cairn_return_memory(int mapped_from, int kept) {
    mallopt(M_MMAP_THRESHOLD, mapped_from);
    mallopt(M_TRIM_THRESHOLD, kept);
}
