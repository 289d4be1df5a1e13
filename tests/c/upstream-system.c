/*
 * What upstream's library needs from the project that embeds it (reftable/system.h): random
 * numbers, the clock, temporary files, locks and mapped files. git has its own; these are small, have
 * no global state, so that several threads can use them, and behave as git's do where a caller of
 * the library can see it.
 */
#include "reftable/system.h"
#include "reftable/basics.h"
#include "reftable/reftable-error.h"
#undef fsync

uint32_t reftable_rand(void)
{
	static _Thread_local uint64_t state;

	if (!state) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		state = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&state ^ (uint64_t)getpid() << 32;
	}
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 32);
}

uint64_t reftable_time_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int reftable_fsync(int fd)
{
	return fsync(fd);
}

/* The path of a lock or temporary file, kept until the file is removed. */
static void forget(const char **path, int *fd)
{
	reftable_free((char *)*path);
	*path = NULL;
	*fd = -1;
}

static int close_fd(int *fd)
{
	int closing = *fd;

	*fd = -1;
	return closing >= 0 && close(closing) < 0 ? REFTABLE_IO_ERROR : 0;
}

int tmpfile_from_pattern(struct reftable_tmpfile *out, const char *pattern)
{
	char *path = reftable_strdup(pattern);

	if (!path)
		return REFTABLE_OUT_OF_MEMORY_ERROR;
	out->fd = mkstemp(path);
	if (out->fd < 0) {
		reftable_free(path);
		return REFTABLE_IO_ERROR;
	}
	out->path = path;
	return 0;
}

int tmpfile_close(struct reftable_tmpfile *t)
{
	return close_fd(&t->fd);
}

int tmpfile_delete(struct reftable_tmpfile *t)
{
	int err = 0;

	if (!t->path)
		return 0;
	close_fd(&t->fd);
	if (unlink(t->path) < 0)
		err = REFTABLE_IO_ERROR;
	forget(&t->path, &t->fd);
	return err;
}

int tmpfile_rename(struct reftable_tmpfile *t, const char *path)
{
	int err = close_fd(&t->fd);

	if (!err && rename(t->path, path) < 0)
		err = REFTABLE_IO_ERROR;
	if (err)
		unlink(t->path);
	forget(&t->path, &t->fd);
	return err;
}

int flock_acquire(struct reftable_flock *l, const char *target_path, long timeout_ms)
{
	uint64_t deadline = reftable_time_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
	size_t len = strlen(target_path);
	char *path = reftable_malloc(len + sizeof(".lock"));
	int wait_ms = 1, saved_errno;

	if (!path)
		return REFTABLE_OUT_OF_MEMORY_ERROR;
	memcpy(path, target_path, len);
	memcpy(path + len, ".lock", sizeof(".lock"));
	while ((l->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0) {
		if (errno != EEXIST || (timeout_ms >= 0 && reftable_time_ms() >= deadline))
			break;
		poll(NULL, 0, wait_ms + (int)(reftable_rand() % (uint32_t)wait_ms));
		if (wait_ms < 100)
			wait_ms *= 2;
	}
	if (l->fd < 0) {
		saved_errno = errno;
		reftable_free(path);
		l->path = NULL;
		l->priv = NULL;
		return saved_errno == EEXIST ? REFTABLE_LOCK_ERROR : REFTABLE_IO_ERROR;
	}
	l->path = path;
	l->priv = path;
	return 0;
}

int flock_close(struct reftable_flock *l)
{
	return l->priv ? close_fd(&l->fd) : REFTABLE_API_ERROR;
}

int flock_release(struct reftable_flock *l)
{
	int err = 0;

	if (!l->priv)
		return 0;
	close_fd(&l->fd);
	if (unlink(l->path) < 0)
		err = REFTABLE_IO_ERROR;
	forget(&l->path, &l->fd);
	l->priv = NULL;
	return err;
}

int flock_commit(struct reftable_flock *l)
{
	char *target;
	size_t len;
	int err;

	if (!l->priv)
		return REFTABLE_API_ERROR;
	err = close_fd(&l->fd);
	len = strlen(l->path) - strlen(".lock");
	target = reftable_strdup(l->path);
	if (!target)
		err = REFTABLE_OUT_OF_MEMORY_ERROR;
	else
		target[len] = 0;
	if (!err && rename(l->path, target) < 0)
		err = REFTABLE_IO_ERROR;
	if (err)
		unlink(l->path);
	reftable_free(target);
	forget(&l->path, &l->fd);
	l->priv = NULL;
	return err;
}

int reftable_mmap(struct reftable_mmap *out, int fd, size_t len)
{
	/* An empty file cannot be mapped; git returns NULL and no error. */
	void *data = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;

	if (data == MAP_FAILED)
		return REFTABLE_IO_ERROR;
	out->data = data;
	out->size = len;
	return 0;
}

int reftable_munmap(struct reftable_mmap *map)
{
	int err = map->size && munmap(map->data, map->size) < 0 ? REFTABLE_IO_ERROR : 0;

	memset(map, 0, sizeof(*map));
	return err;
}
