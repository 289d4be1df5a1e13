/*
 * Runs one workload on the reftable library that it is linked with and prints the
 * results: `workloads NAME SIZE DIR [SEED]`, after `workloads --prepare NAME SIZE DIR
 * [SEED]` has written the input into DIR. The program with another library may have
 * written the input; a workload that changes it needs a new copy for each run.
 *
 * Fails with a message if the library fails or there is no such workload.
 */
#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define READING(name, run, tables) \
	{ name, tables ? prepare_stack : prepare_ref_table, open_refs, run, close_all, tables, 0 }
#define OVER_STACKS(name, run) \
	READING(name, run, 0), READING(name "-1", run, 1), \
	READING(name "-5", run, 5), READING(name "-20", run, 20)

static const struct workload workloads[] = {
	{ "write", NULL, create_table, write_ref_table, finish_ref_table, 0, 0 },
	{ "write-no-objects", NULL, create_table, write_ref_table, finish_ref_table, 0, 1 },
	{ "write-logs", NULL, create_table, write_log_table, finish_log_table, 0, 0 },
	OVER_STACKS("iterate", iterate_refs),
	OVER_STACKS("hit", look_up_hits),
	OVER_STACKS("miss", look_up_misses),
	OVER_STACKS("in-order", look_up_in_order),
	{ "read-logs", prepare_log_table, open_logs, read_logs, close_all, 0, 0 },
	{ "iterate-logs", prepare_log_table, open_logs, iterate_logs, close_all, 0, 0 },
	{ "by-id", prepare_ref_table, open_table, refs_by_id, close_all, 0, 0 },
	{ "open", prepare_stack, NULL, open_and_read, close_all, 1, 0 },
	{ "transactions", NULL, open_stack, one_ref_transactions, finish_stack, 0, 0 },
	{ "compact", prepare_stack, open_stack, compact_stack, finish_stack, 20, 0 },
	{ "compact-no-objects", prepare_stack, open_stack, compact_stack, finish_stack, 20, 1 },
};

static const struct workload *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	fprintf(stderr, "workloads: no workload is called %s\n", name);
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end) {
		fprintf(stderr, "workloads: not a number: %s\n", text);
		exit(2);
	}
	return value;
}

/* User and system time of this process, in seconds. */
static double cpu_seconds(void)
{
	struct rusage usage;

	check_system(getrusage(RUSAGE_SELF, &usage), "getrusage");
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double wall_seconds(void)
{
	struct timespec now;

	check_system(clock_gettime(CLOCK_MONOTONIC, &now), "clock_gettime");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * Peak memory of this process, in KiB. getrusage() would include that of the
 * process that started this one.
 */
static long peak_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	check_system(!status, "/proc/self/status");
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

/* A separate function, for callgrind's --toggle-collect. */
__attribute__((noinline)) void measured_part(struct bench *b)
{
	b->workload->run(b);
	__asm__ volatile("" ::: "memory");
}

static void run(struct bench *b)
{
	double cpu, wall;
	long peak;

	if (b->workload->open)
		b->workload->open(b);
	wall = wall_seconds();
	cpu = cpu_seconds();
	measured_part(b);
	cpu = cpu_seconds() - cpu;
	wall = wall_seconds() - wall;
	peak = peak_kib();
	b->workload->finish(b);
	printf("seconds=%.6f wall=%.6f peak_kib=%ld units=%" PRIu64 " checksum=%016" PRIx64 "\n",
	       cpu, wall, peak, b->units, b->checksum);
}

int main(int argc, const char **argv)
{
	struct bench b = { .fd = -1 };
	int prepare = argc > 1 && !strcmp(argv[1], "--prepare");

	argc -= prepare;
	argv += prepare;
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: workloads [--prepare] NAME SIZE DIR [SEED]\n");
		return 2;
	}
	b.workload = find(argv[1]);
	b.size = number(argv[2]);
	b.dir = argv[3];
	b.seed = argc > 4 ? number(argv[4]) : 1;
	if (!b.size || b.size > 100000000) {
		fprintf(stderr, "workloads: SIZE is from 1 to 100000000\n");
		return 2;
	}
	check_system(mkdir(b.dir, 0777) && errno != EEXIST, b.dir);
	if (!prepare) {
		run(&b);
	} else if (b.workload->prepare) {
		b.workload->prepare(&b);
		close_all(&b);
	}
	return 0;
}
