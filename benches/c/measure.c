/*
 * Runs a command and writes to a file what it and all its children used:
 * `measure FILE COMMAND [ARGUMENT...]`. A small separate process, because a
 * child's peak memory includes that of its parent at the time of the fork.
 *
 * Ends with the command's exit code, or 125 if it could not be run or measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	perror(what);
	return 125;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start;
	pid_t child;
	FILE *out;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: measure FILE COMMAND [ARGUMENT...]\n");
		return 125;
	}
	start = now();
	child = fork();
	if (child < 0)
		return fail("fork");
	if (!child) {
		execvp(argv[2], argv + 2);
		_exit(fail(argv[2]));
	}
	if (waitpid(child, &status, 0) < 0 || getrusage(RUSAGE_CHILDREN, &usage))
		return fail("wait");
	out = fopen(argv[1], "w");
	if (!out)
		return fail(argv[1]);
	fprintf(out, "seconds=%.6f wall=%.6f peak_kib=%ld\n",
		seconds(usage.ru_utime) + seconds(usage.ru_stime), now() - start,
		usage.ru_maxrss);
	if (fclose(out))
		return fail(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
