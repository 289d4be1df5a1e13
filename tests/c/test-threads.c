/*
 * Threads that read one stack, with our library only: the reference counts of upstream's tables
 * are not atomic, so it crashes occasionally. Then threads with one stack each in one directory:
 * all write, read, reload and compact, and each knows which of its writes were acknowledged. None
 * of these may be missing, while the threads run and at the end.
 *
 * usage: test-threads [SECONDS [THREADS]]
 */
#include <pthread.h>
#include <time.h>

#include "check.h"
#include "support.h"

#include "reftable/reftable-merged.h"

#define MAX_THREADS 64
#define REFS 16

struct worker {
	pthread_t thread;
	unsigned number, random;
	/* The seed of each ref, 0 if it does not exist, and the number of entries in its log. */
	unsigned seeds[REFS];
	int entries[REFS];
	long updates, refused, compactions;
};

static struct worker workers[MAX_THREADS];
static unsigned thread_count = 8;
static time_t deadline;
static char *directory;

static unsigned random_below(struct worker *worker, unsigned limit)
{
	worker->random = worker->random * 1664525 + 1013904223;
	return (worker->random >> 16) % limit;
}

static const char *ref_name(char *name, unsigned worker, unsigned ref)
{
	sprintf(name, "refs/heads/thread-%02u/%02u", worker, ref);
	return name;
}

/* One update of a ref, with its log entry. */
struct update {
	struct reftable_stack *stack;
	const char *name;
	unsigned seed;
};

static int write_update(struct reftable_writer *writer, void *arg)
{
	struct update *update = arg;
	uint64_t index = reftable_stack_next_update_index(update->stack);
	struct reftable_ref_record ref = update->seed ?
						 make_val1(update->name, index, update->seed) :
						 make_deletion(update->name, index);
	struct reftable_log_record log = make_log(update->name, index, "update\n");
	int err = reftable_writer_set_limits(writer, index, index);

	if (!err)
		err = reftable_writer_add_ref(writer, &ref);
	if (!err)
		err = reftable_writer_add_log(writer, &log);
	return err;
}

static int is_busy(int err)
{
	return err == REFTABLE_LOCK_ERROR || err == REFTABLE_OUTDATED_ERROR;
}

/* For threads that wait for each other. */
static const struct options patient = { .write.lock_timeout_ms = 5000 };

static void write_one(struct worker *worker, struct reftable_stack *stack)
{
	unsigned ref = random_below(worker, REFS);
	unsigned seed = random_below(worker, 5) ? 1 + random_below(worker, 255) : 0;
	char name[40];
	struct update update = {
		.stack = stack, .name = ref_name(name, worker->number, ref), .seed = seed
	};
	int err = reftable_stack_add(stack, write_update, &update, &patient.write,
				     REFTABLE_STACK_NEW_ADDITION_RELOAD);

	if (is_busy(err)) {
		worker->refused++;
		return;
	}
	CHECK_INT(err, 0);
	worker->seeds[ref] = seed;
	worker->entries[ref]++;
	worker->updates++;
}

static int count_entries(struct reftable_stack *stack, const char *name)
{
	struct reftable_log_record log = { 0 };
	struct reftable_iterator it = { 0 };
	int count = 0, err;

	CHECK_INT(reftable_stack_init_log_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, name), 0);
	while (!(err = reftable_iterator_next_log(&it, &log)) && !strcmp(log.refname, name))
		count++;
	CHECK(err >= 0);
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	return count;
}

/* A stack always shows what was written through it. */
static void read_own(struct worker *worker, struct reftable_stack *stack)
{
	unsigned ref = random_below(worker, REFS);
	char name[40];

	ref_name(name, worker->number, ref);
	CHECK_INT(read_seed(stack, name), worker->seeds[ref]);
	CHECK_INT(count_entries(stack, name), worker->entries[ref]);
}

/* Walks over the refs of all threads, which must be in order. */
static void read_all(struct reftable_stack *stack)
{
	struct reftable_ref_record ref = { 0 };
	struct reftable_iterator it = { 0 };
	char last[40] = "";
	int err;

	CHECK_INT(reftable_stack_init_ref_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	while (!(err = reftable_iterator_next_ref(&it, &ref))) {
		CHECK(strcmp(last, ref.refname) < 0);
		snprintf(last, sizeof(last), "%s", ref.refname);
	}
	CHECK_INT(err, 1);
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
}

static void compact(struct worker *worker, struct reftable_stack *stack)
{
	int err = random_below(worker, 2) ? reftable_stack_compact_all(stack, &patient.write, NULL) :
					    reftable_stack_auto_compact(stack, &patient.write);

	if (is_busy(err)) {
		CHECK_INT(reftable_stack_reload(stack), 0);
		return;
	}
	CHECK_INT(err, 0);
	worker->compactions++;
}

static void *work(void *arg)
{
	struct reftable_stack *stack = NULL;
	struct worker *worker = arg;

	CHECK_INT(open_stack_with(&stack, directory, &patient), 0);
	while (time(NULL) < deadline) {
		unsigned kind = random_below(worker, 100);

		if (kind < 50) {
			write_one(worker, stack);
		} else if (kind < 75) {
			read_own(worker, stack);
		} else if (kind < 85) {
			read_all(stack);
		} else if (kind < 93) {
			CHECK_INT(reftable_stack_reload(stack), 0);
		} else if (kind < 96) {
			compact(worker, stack);
		} else if (kind < 98) {
			int err = reftable_stack_clean(stack);

			if (!is_busy(err))
				CHECK_INT(err, 0);
		} else {
			reftable_stack_destroy(stack);
			CHECK_INT(open_stack_with(&stack, directory, &patient), 0);
		}
	}
	reftable_stack_destroy(stack);
	return NULL;
}

/*
 * Values that a process computes once (a random seed, the features of the CPU, the page size) are
 * stored atomically, which helgrind does not know: so they are computed before threads start.
 */
static void use_once(void)
{
	struct options options = { .write.lock_timeout_ms = 1 };
	struct reftable_ref_record *refs = make_branches(2000, 1);
	struct batch many = { .min = 1, .max = 1, .refs = refs, .ref_count = 2000 };
	struct reftable_stack *stack = NULL, *other = NULL;
	char *own_directory = directory_new();

	CHECK_INT(make_stack(&stack, own_directory, &options), 0);
	CHECK_INT(make_stack(&other, own_directory, &options), 0);
	CHECK_INT(reftable_stack_add(stack, write_batch, &many, write_options, 0), 0);
	CHECK_INT(reftable_stack_reload(other), 0);
	CHECK_INT(add_log(stack, "HEAD", "m"), 0);
	directory_write(own_directory, "tables.list.lock", "", 0);
	CHECK_INT(add_ref(stack, "HEAD", 1), REFTABLE_LOCK_ERROR);
	directory_delete(own_directory, "tables.list.lock");
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(reftable_stack_clean(stack), 0);
	CHECK_INT(reftable_stack_reload(other), 0);
	CHECK_INT(count_entries(other, "HEAD"), 1);
	reftable_stack_destroy(other);
	reftable_stack_destroy(stack);
	directory_remove(own_directory);
	free(refs);
}

#ifndef REFTABLE_UPSTREAM

/* ---- threads that only read one stack ---- */

struct reader {
	pthread_t thread;
	struct reftable_stack *stack;
	unsigned number;
	long lookups;
};

static void *read_shared(void *arg)
{
	struct reader *reader = arg;
	struct reftable_stack *stack = reader->stack;
	struct worker random = { .random = reader->number * 77777 + 1 };
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };
	char name[40];

	while (time(NULL) < deadline) {
		unsigned i, branch = random_below(&random, 2000);
		bool required = true;

		for (i = 0; i < 50; i++) {
			branch = (branch * 7 + i) % 2000;
			sprintf(name, "refs/heads/branch-%04u", branch);
			/* Every eighth is a deletion. */
			CHECK_INT(reftable_stack_read_ref(stack, name, &ref), branch % 8 == 7);
			if (branch % 8 != 7)
				CHECK_STR(ref.refname, name);
			CHECK_INT(reftable_stack_read_ref(stack, "refs/heads/none", &ref), 1);
			reader->lookups++;
		}
		CHECK_INT(reftable_stack_read_log(stack, "HEAD", &log), 0);
		CHECK_INT(count_entries(stack, "HEAD"), 1);
		read_all(stack);
		CHECK_INT(reftable_stack_next_update_index(stack), 3);
		CHECK_INT(reftable_merged_table_max_update_index(
				  reftable_stack_merged_table(stack)), 2);
		CHECK_INT(reftable_stack_hash_id(stack), REFTABLE_HASH_SHA1);
		CHECK_INT(reftable_stack_compaction_required(stack, write_options, true, &required), 0);
		CHECK_INT(reftable_stack_compaction_stats(stack)->attempts, 0);
	}
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	return NULL;
}

static void share_a_stack(int seconds)
{
	struct options options = { .write.disable_auto_compact = 1 };
	struct reftable_ref_record *refs = make_branches(2000, 1);
	struct batch many = { .min = 1, .max = 1, .refs = refs, .ref_count = 2000 };
	struct reader readers[MAX_THREADS] = { 0 };
	struct reftable_stack *stack = NULL;
	long lookups = 0;
	unsigned i;

	directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, &options), 0);
	CHECK_INT(reftable_stack_add(stack, write_batch, &many, write_options, 0), 0);
	CHECK_INT(add_log(stack, "HEAD", "m"), 0);
	deadline = time(NULL) + seconds;
	for (i = 0; i < thread_count; i++) {
		readers[i].number = i;
		readers[i].stack = stack;
		CHECK_INT(pthread_create(&readers[i].thread, NULL, read_shared, &readers[i]), 0);
	}
	for (i = 0; i < thread_count; i++) {
		CHECK_INT(pthread_join(readers[i].thread, NULL), 0);
		lookups += readers[i].lookups;
		CHECK(readers[i].lookups > 0);
	}
	reftable_stack_destroy(stack);
	directory_remove(directory);
	free(refs);
	printf("ok - %u threads read one stack for %d seconds: %ld lookups\n", thread_count, seconds,
	       lookups);
}

#endif

/* All acknowledged writes, as a new stack sees them. */
static void check_all(void)
{
	struct reftable_stack *stack = NULL;
	unsigned i, ref;
	char name[40];

	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	for (i = 0; i < thread_count; i++) {
		for (ref = 0; ref < REFS; ref++) {
			ref_name(name, i, ref);
			CHECK_INT(read_seed(stack, name), workers[i].seeds[ref]);
			CHECK_INT(count_entries(stack, name), workers[i].entries[ref]);
		}
	}
	reftable_stack_destroy(stack);
	CHECK_INT(directory_count(directory, ".lock"), 0);
	CHECK_INT(directory_count(directory, ""), 1 + directory_count(directory, ".ref"));
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 2;
	long updates = 0, refused = 0, compactions = 0;
	unsigned i;

	if (argc > 2)
		thread_count = (unsigned)atoi(argv[2]);
	if (seconds < 1 || thread_count < 1 || thread_count > MAX_THREADS) {
		fprintf(stderr, "usage: test-threads [SECONDS [THREADS [own-stacks]]]\n");
		return 2;
	}
	use_once();
#ifndef REFTABLE_UPSTREAM
	/* Helgrind does not know the locks of Rust, which are futexes; ThreadSanitizer does. */
	if (argc <= 3)
		share_a_stack(seconds);
#endif
	directory = directory_new();
	deadline = time(NULL) + seconds;
	for (i = 0; i < thread_count; i++) {
		workers[i].number = i;
		workers[i].random = i * 77777 + 1;
		CHECK_INT(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < thread_count; i++) {
		CHECK_INT(pthread_join(workers[i].thread, NULL), 0);
		updates += workers[i].updates;
		refused += workers[i].refused;
		compactions += workers[i].compactions;
		/* A thread that never wrote has shown nothing. */
		CHECK(workers[i].updates > 0);
	}
	check_all();
	directory_remove(directory);
	printf("ok - %u threads, %d seconds: %ld updates, %ld refused as busy, %ld compactions\n",
	       thread_count, seconds, updates, refused, compactions);
	return 0;
}
