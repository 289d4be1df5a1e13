/*
 * A library to preload: counts the calls of a program on files below a directory named "reftable",
 * and injects a fault into one of them.
 *
 *   FAULTS_ROOT    absolute path; only files below it count (required)
 *   FAULTS_EVERY_FILE  if set, every file below it counts, regardless of its name
 *   FAULTS_COUNT   file of 8 bytes with the number of calls so far, shared by all processes
 *                  (required)
 *   FAULTS_AT      number of the call with the fault, starting at 1
 *   FAULTS_KIND    the fault: an error number: the call fails and does nothing;
 *                  an error number and "+": the call and all later calls fail;
 *                  "short": a write writes only one byte, a read reads only one;
 *                  "kill-before", "kill-after": SIGKILL;
 *                  "interrupt": SIGINT, before the call
 *   FAULTS_LOG     file to which each call is appended: number, name, path
 *
 * Wraps the C library's functions under their names with and without 64.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_FD 1024

static const char *root;
static int every_file;
static uint64_t *count;
static uint64_t strike_at;
static int log_fd = -1;

static enum { FAIL, FAIL_ON, SHORT, KILL_BEFORE, KILL_AFTER, INTERRUPT } kind;
static int kind_errno;

/* The paths of the open files and directories that count. */
static char *open_path[MAX_FD];

static int raw_open(const char *path, int flags)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644);
	int high = fd < 0 ? -1 : (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, MAX_FD);

	if (fd >= 0)
		syscall(SYS_close, fd);
	return high;
}

static void raw_write(int fd, const char *bytes, size_t len)
{
	/* In one call, so that the lines of several processes do not mix. */
	if (syscall(SYS_write, fd, bytes, len) != (ssize_t)len)
		abort();
}

static void parse_kind(const char *text)
{
	char *end;

	if (!strcmp(text, "short"))
		kind = SHORT;
	else if (!strcmp(text, "kill-before"))
		kind = KILL_BEFORE;
	else if (!strcmp(text, "kill-after"))
		kind = KILL_AFTER;
	else if (!strcmp(text, "interrupt"))
		kind = INTERRUPT;
	else {
		kind_errno = (int)strtol(text, &end, 10);
		kind = *end == '+' ? FAIL_ON : FAIL;
	}
}

__attribute__((constructor)) static void start(void)
{
	const char *count_path = getenv("FAULTS_COUNT"), *text;
	int fd;

	if (!getenv("FAULTS_ROOT") || !count_path)
		return;
	fd = raw_open(count_path, O_RDWR | O_CREAT);
	if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof(*count)))
		abort();
	count = (void *)syscall(SYS_mmap, NULL, sizeof(*count), PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);
	if (count == MAP_FAILED)
		abort();
	syscall(SYS_close, fd);
	if ((text = getenv("FAULTS_AT")))
		strike_at = strtoull(text, NULL, 10);
	if ((text = getenv("FAULTS_KIND")))
		parse_kind(text);
	if ((text = getenv("FAULTS_LOG")))
		log_fd = raw_open(text, O_WRONLY | O_CREAT | O_APPEND);
	every_file = getenv("FAULTS_EVERY_FILE") != NULL;
	root = getenv("FAULTS_ROOT");
}

static int is_in_stack(const char *path)
{
	const char *at = strstr(path, "reftable");

	return at && (at == path || at[-1] == '/') && (!at[8] || at[8] == '/');
}

/* The absolute path of a file that counts, else NULL. */
static const char *counts(const char *path)
{
	static __thread char absolute[PATH_MAX];

	if (!root || !path || !(every_file || is_in_stack(path)))
		return NULL;
	if (*path == '/') {
		snprintf(absolute, sizeof(absolute), "%s", path);
	} else {
		char cwd[PATH_MAX / 2] = "";

		if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
			return NULL;
		snprintf(absolute, sizeof(absolute), "%s/%s", cwd, path);
	}
	return strncmp(absolute, root, strlen(root)) ? NULL : absolute;
}

static const char *counts_fd(int fd)
{
	return root && fd >= 0 && fd < MAX_FD ? open_path[fd] : NULL;
}

/*
 * Without a name the call is about the descriptor; Rust's probe for this call passes no name
 * either. Not inline: the compiler assumes that there is a name.
 */
__attribute__((noinline)) static const char *counts_at(int fd, const char *volatile name)
{
	return name && *name ? counts(name) : counts_fd(fd);
}

static void track(int fd, const char *path)
{
	if (fd < 0 || fd >= MAX_FD)
		return;
	free(open_path[fd]);
	open_path[fd] = path ? strdup(path) : NULL;
}

struct verdict {
	int error;
	int is_short;
	int kill_after;
};

static void die_now(void)
{
	syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
	for (;;)
		pause();
}

static struct verdict before(const char *call, const char *path)
{
	struct verdict verdict = { 0 };
	uint64_t number = __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
	int struck = strike_at && (number == strike_at ||
				   (kind == FAIL_ON && number > strike_at));

	if (log_fd >= 0) {
		char line[PATH_MAX + 64];
		int len = snprintf(line, sizeof(line), "%llu %s %s\n",
				   (unsigned long long)number, call, path);

		raw_write(log_fd, line, (size_t)len);
	}
	if (!struck)
		return verdict;
	if (kind == KILL_BEFORE)
		die_now();
	if (kind == INTERRUPT)
		syscall(SYS_kill, syscall(SYS_getpid), SIGINT);
	verdict.error = kind == FAIL || kind == FAIL_ON ? kind_errno : 0;
	verdict.is_short = kind == SHORT;
	verdict.kill_after = kind == KILL_AFTER;
	return verdict;
}

static void after(struct verdict verdict)
{
	if (verdict.kill_after)
		die_now();
}

static void *resolve(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort();
	return function;
}

#define REAL(type, name, params) \
	static type(*real) params; \
	if (!real) \
		real = (type(*) params)resolve(#name)

/* A call that fails or is made. */
#define WRAP(type, name, params, args, concerns, failed) \
	EXPORT type name params \
	{ \
		REAL(type, name, params); \
		const char *path = concerns; \
		struct verdict verdict = { 0 }; \
		type result; \
		int saved; \
		if (!path) \
			return real args; \
		verdict = before(#name, path); \
		if (verdict.error) { \
			errno = verdict.error; \
			return failed; \
		} \
		result = real args; \
		saved = errno; \
		after(verdict); \
		errno = saved; \
		return result; \
	}

static int open_common(const char *call, int (*real)(int, const char *, int, ...), int dir,
		       const char *name, int flags, mode_t mode)
{
	const char *path = counts(name);
	struct verdict verdict;
	int fd, saved;

	if (!path)
		return real(dir, name, flags, mode);
	verdict = before(call, path);
	if (verdict.error) {
		errno = verdict.error;
		return -1;
	}
	fd = real(dir, name, flags, mode);
	saved = errno;
	track(fd, path);
	after(verdict);
	errno = saved;
	return fd;
}

#define WRAP_OPEN(name, params, dir) \
	EXPORT int name params \
	{ \
		REAL(int, openat, (int, const char *, int, ...)); \
		mode_t mode = 0; \
		va_list args; \
		va_start(args, flags); \
		if (flags & (O_CREAT | O_TMPFILE)) \
			mode = va_arg(args, mode_t); \
		va_end(args); \
		return open_common(#name, real, dir, path, flags, mode); \
	}

WRAP_OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
WRAP_OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
WRAP_OPEN(openat, (int dir, const char *path, int flags, ...), dir)
WRAP_OPEN(openat64, (int dir, const char *path, int flags, ...), dir)

/* The descriptor is closed even if the call fails. */
EXPORT int close(int fd)
{
	REAL(int, close, (int));
	const char *path = counts_fd(fd);
	struct verdict verdict;
	int result;

	if (!path)
		return real(fd);
	verdict = before("close", path);
	track(fd, NULL);
	result = real(fd);
	after(verdict);
	if (!verdict.error)
		return result;
	errno = verdict.error;
	return -1;
}

static int duplicate(int (*real)(int, int, ...), const char *call, int fd, int command, void *arg)
{
	int is_dup = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
	const char *path = is_dup ? counts_fd(fd) : NULL;
	struct verdict verdict;
	int result;

	if (!path)
		return real(fd, command, arg);
	verdict = before(call, path);
	if (verdict.error) {
		errno = verdict.error;
		return -1;
	}
	result = real(fd, command, arg);
	track(result, path);
	after(verdict);
	return result;
}

#define WRAP_FCNTL(name) \
	EXPORT int name(int fd, int command, ...) \
	{ \
		REAL(int, name, (int, int, ...)); \
		va_list args; \
		void *arg; \
		va_start(args, command); \
		arg = va_arg(args, void *); \
		va_end(args); \
		return duplicate(real, #name, fd, command, arg); \
	}

WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)

/* Reads and writes can be short. */
#define SHORTEN(length) (verdict.is_short && (length) > 1 ? 1 : (length))

WRAP(ssize_t, read, (int fd, void *to, size_t n), (fd, to, SHORTEN(n)), counts_fd(fd), -1)
WRAP(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, SHORTEN(n), at),
     counts_fd(fd), -1)
WRAP(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, SHORTEN(n), at),
     counts_fd(fd), -1)
WRAP(ssize_t, readv, (int fd, const struct iovec *to, int n), (fd, to, SHORTEN(n)),
     counts_fd(fd), -1)
WRAP(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, SHORTEN(n)),
     counts_fd(fd), -1)
WRAP(int, fsync, (int fd), (fd), counts_fd(fd), -1)
WRAP(int, fdatasync, (int fd), (fd), counts_fd(fd), -1)
WRAP(int, sync_file_range, (int fd, off64_t at, off64_t n, unsigned flags), (fd, at, n, flags),
     counts_fd(fd), -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), counts_fd(fd), -1)
WRAP(void *, mmap, (void *to, size_t n, int prot, int flags, int fd, off_t at),
     (to, n, prot, flags, fd, at), counts_fd(fd), MAP_FAILED)
WRAP(void *, mmap64, (void *to, size_t n, int prot, int flags, int fd, off64_t at),
     (to, n, prot, flags, fd, at), counts_fd(fd), MAP_FAILED)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), counts_fd(fd), -1)
WRAP(int, fstat64, (int fd, struct stat64 *st), (fd, st), counts_fd(fd), -1)

/* Neither git nor the library makes these calls; one that did would escape the faults. */
#define REFUSE(type, name, params, concerns) \
	EXPORT type name params \
	{ \
		REAL(type, name, params); \
		if (concerns) { \
			static const char text[] = "faults: " #name " is not expected\n"; \
			raw_write(2, text, sizeof(text) - 1); \
			abort(); \
		} \
		return real ARGUMENTS; \
	}

#define ARGUMENTS (fd, from, n, at)
REFUSE(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), counts_fd(fd))
REFUSE(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), counts_fd(fd))
#undef ARGUMENTS
#define ARGUMENTS (fd, from, n)
REFUSE(ssize_t, writev, (int fd, const struct iovec *from, int n), counts_fd(fd))
#undef ARGUMENTS
#define ARGUMENTS (fd, n)
REFUSE(int, ftruncate, (int fd, off_t n), counts_fd(fd))
REFUSE(int, ftruncate64, (int fd, off64_t n), counts_fd(fd))
#undef ARGUMENTS
#define ARGUMENTS (old, new)
REFUSE(int, symlink, (const char *old, const char *new), !every_file && counts(new))

/* The path of a rename is the new name if that counts, else the old one. */
static const char *counts_either(const char *old, const char *new)
{
	const char *path = counts(new);

	return path ? path : counts(old);
}

WRAP(int, rename, (const char *old, const char *new), (old, new), counts_either(old, new), -1)
WRAP(int, link, (const char *old, const char *new), (old, new), counts(new), -1)
WRAP(int, linkat, (int from, const char *old, int to, const char *new, int flags),
     (from, old, to, new, flags), counts(new), -1)
WRAP(int, flock, (int fd, int how), (fd, how), counts_fd(fd), -1)
WRAP(int, unlink, (const char *name), (name), counts(name), -1)
WRAP(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags), counts(name), -1)
WRAP(int, mkdir, (const char *name, mode_t mode), (name, mode), counts(name), -1)
WRAP(int, rmdir, (const char *name), (name), counts(name), -1)
WRAP(int, chmod, (const char *name, mode_t mode), (name, mode), counts(name), -1)
WRAP(int, access, (const char *name, int mode), (name, mode), counts(name), -1)
WRAP(int, stat, (const char *name, struct stat *st), (name, st), counts(name), -1)
WRAP(int, stat64, (const char *name, struct stat64 *st), (name, st), counts(name), -1)
WRAP(int, lstat, (const char *name, struct stat *st), (name, st), counts(name), -1)
WRAP(int, lstat64, (const char *name, struct stat64 *st), (name, st), counts(name), -1)
WRAP(int, statx,
     (int dir, const char *name, int flags, unsigned mask, struct statx *st),
     (dir, name, flags, mask, st), counts_at(dir, name), -1)

/* Directories that are being read. */
static DIR *open_dirs[16];
static char *dir_paths[16];

static void track_dir(DIR *dir, const char *path)
{
	for (int i = 0; i < 16; i++) {
		if (!open_dirs[i]) {
			open_dirs[i] = dir;
			dir_paths[i] = strdup(path);
			return;
		}
	}
}

static const char *counts_dir(DIR *dir)
{
	for (int i = 0; root && dir && i < 16; i++)
		if (open_dirs[i] == dir)
			return dir_paths[i];
	return NULL;
}

EXPORT int closedir(DIR *dir)
{
	REAL(int, closedir, (DIR *));

	for (int i = 0; i < 16; i++) {
		if (open_dirs[i] == dir) {
			open_dirs[i] = NULL;
			free(dir_paths[i]);
		}
	}
	return real(dir);
}

EXPORT DIR *opendir(const char *name)
{
	REAL(DIR *, opendir, (const char *));
	const char *path = counts(name);
	struct verdict verdict;
	DIR *dir;
	int saved;

	if (!path)
		return real(name);
	verdict = before("opendir", path);
	if (verdict.error) {
		errno = verdict.error;
		return NULL;
	}
	dir = real(name);
	saved = errno;
	if (dir)
		track_dir(dir, path);
	after(verdict);
	errno = saved;
	return dir;
}

WRAP(struct dirent *, readdir, (DIR * dir), (dir), counts_dir(dir), NULL)
WRAP(struct dirent64 *, readdir64, (DIR * dir), (dir), counts_dir(dir), NULL)
