/*
 * Runs generated operations through the public API and prints their visible results:
 * codes, records, statistics, members of structs, checksums of the bytes on disk. The output with
 * upstream's library and with ours must be the same.
 *
 * usage: differential [-v] [-n] FIRST-SEED COUNT
 *
 * With -v everything is printed instead of checksums. Lines that start with "z " depend on how a
 * block of logs was deflated; with -n, stacks have no logs, so that no other line does.
 */
#include <unistd.h>

#include "differential.h"

static void run(const char *name, void (*test)(void), uint64_t seed)
{
	printf("== %s, seed %llu\n", name, (unsigned long long)seed);
	random_seed(seed);
	test();
	forget_names();
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t first, count, seed;
	int option;

	while ((option = getopt(argc, argv, "vn")) != -1) {
		if (option == 'v')
			verbose = 1;
		else if (option == 'n')
			no_logs_in_stacks = 1;
		else
			argc = 0;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: differential [-v] [-n] FIRST-SEED COUNT\n");
		return 2;
	}
	first = strtoull(argv[optind], NULL, 10);
	count = strtoull(argv[optind + 1], NULL, 10);
	for (seed = first; seed < first + count; seed++) {
		run("table", case_table, seed);
		run("refused records", case_refused_records, seed);
		run("merged", case_merged, seed);
		run("stack", case_stack, seed);
	}
	return 0;
}
