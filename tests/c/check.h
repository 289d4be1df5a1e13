/*
 * Test framework: each test is a function and runs in a separate process, so that a crash is
 * one failed test. A failed check prints both values and ends its test.
 *
 *	static void test_something(void) { CHECK_INT(f(), 0); }
 *	int main(void) { RUN(test_something); return DONE(); }
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int check_runs, check_failures;

#define CHECK_FAILED(...)                                             \
	do {                                                          \
		printf("# %s:%d: ", __FILE__, __LINE__);              \
		printf(__VA_ARGS__);                                  \
		printf("\n");                                         \
		fflush(stdout);                                       \
		exit(1);                                              \
	} while (0)

#define CHECK(condition)                                              \
	do {                                                          \
		if (!(condition))                                     \
			CHECK_FAILED("does not hold: %s", #condition); \
	} while (0)

#define CHECK_INT(actual, expected)                                                   \
	do {                                                                          \
		long long check_a = (long long)(actual), check_e = (long long)(expected); \
		if (check_a != check_e)                                               \
			CHECK_FAILED("%s is %lld, expected %lld (%s)", #actual,       \
				     check_a, check_e, #expected);                    \
	} while (0)

#define CHECK_STR(actual, expected)                                                \
	do {                                                                       \
		const char *check_a = (actual), *check_e = (expected);             \
		if (!check_a || strcmp(check_a, check_e))                          \
			CHECK_FAILED("%s is \"%s\", expected \"%s\"", #actual,     \
				     check_a ? check_a : "(null)", check_e);       \
	} while (0)

#define CHECK_MEM(actual, expected, len)                                           \
	do {                                                                       \
		if (memcmp((actual), (expected), (len)))                           \
			CHECK_FAILED("%s differs from %s", #actual, #expected);    \
	} while (0)

/* A normal exit, for output and memory checkers. */
static inline void check_run(const char *name, void (*test)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	check_runs++;
	pid = fork();
	if (!pid) {
		test();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		exit(2);
	}
	if (status)
		check_failures++;
	if (WIFSIGNALED(status))
		printf("# %s: ended by signal %d\n", name, WTERMSIG(status));
	printf("%s %d - %s\n", status ? "not ok" : "ok", check_runs, name);
}

/* Runs the test; every test runs, none can be selected. */
#define RUN(test) check_run(#test, test)

static inline int check_done(void)
{
	printf("1..%d\n", check_runs);
	return check_failures ? 1 : 0;
}

#define DONE() check_done()

#endif
