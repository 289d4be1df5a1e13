/* A directory with two open stacks, and random operations on them. */
#include "differential.h"

#include "reftable/reftable-fsck.h"
#include "reftable/reftable-merged.h"

#define STACKS 2

static char *directory;
static struct reftable_stack *stacks[STACKS];
static struct options options;
static uint32_t hash_size;

static struct records stack_records(size_t refs, size_t logs, uint64_t min, uint64_t max)
{
	return random_records(refs, no_logs_in_stacks ? 0 : logs, min, max, options.write.exact_log_message);
}

/* The list, with a checksum for each table. */
static void print_directory(void)
{
	char *list = directory_read(directory, "tables.list", NULL), *line;
	int count = 0;

	for (line = strtok(list ? list : (char[]){ 0 }, "\n"); line; line = strtok(NULL, "\n")) {
		size_t len = 0;
		char *bytes = directory_read(directory, line, &len);
		char *tail = strrchr(line, '-');

		/* 0x%012x-0x%012x-%08x.ref */
		if (!bytes || !tail || strlen(tail) != 13 || strspn(tail + 1, "0123456789abcdef") != 8 ||
		    strcmp(tail + 9, ".ref")) {
			printf("unexpected name: %s\n", line);
			exit(1);
		}
		printf("table: %.*s\n", (int)(tail - line), line);
		print_size("bytes: %zu %016llx\n", len, (unsigned long long)digest(bytes, len));
		free(bytes);
		count++;
	}
	printf("directory: %slist, %d tables, %d files\n", list ? "" : "no ", count,
	       directory_count(directory, ""));
	free(list);
}

static void print_stack(struct reftable_stack *stack)
{
	const struct reftable_compaction_stats *stats = reftable_stack_compaction_stats(stack);
	struct reftable_merged_table *merged = reftable_stack_merged_table(stack);

	printf("next %llu, indexes %llu to %llu, hash_id %d, entries_written %llu attempts %d failures "
	       "%d\n",
	       (unsigned long long)reftable_stack_next_update_index(stack),
	       (unsigned long long)reftable_merged_table_min_update_index(merged),
	       (unsigned long long)reftable_merged_table_max_update_index(merged),
	       (int)reftable_stack_hash_id(stack), (unsigned long long)stats->entries_written,
	       stats->attempts, stats->failures);
	print_size("stats: bytes %llu\n", (unsigned long long)stats->bytes);
}

static struct batch batch_of(struct records *records, uint64_t min, uint64_t max)
{
	struct batch batch = {
		.min = min,
		.max = max,
		.refs = records->refs,
		.ref_count = records->ref_count,
		.logs = records->logs,
		.log_count = records->log_count,
	};

	return batch;
}

static void add(struct reftable_stack *stack)
{
	uint64_t gap = random_chance(20) ? random_below(9) : 0;
	uint64_t min = reftable_stack_next_update_index(stack) + gap;
	uint64_t max = min + (random_chance(20) ? random_below(5) : 0);
	size_t refs = random_below(random_chance(80) ? 4 : 150);
	size_t logs = random_below(random_chance(80) ? 3 : 60);
	struct records records = stack_records(refs, logs, min, max);
	struct batch batch = batch_of(&records, min, max);
	unsigned flags = random_chance(50) ? REFTABLE_STACK_NEW_ADDITION_RELOAD : 0;

	if (random_chance(5)) {
		batch.min = min - 1;
		printf("too low: ");
	}
	if (random_chance(5))
		batch.result = -77;
	printf("add %zu refs, %zu logs, flags %u: %d\n", records.ref_count, records.log_count, flags,
	       reftable_stack_add(stack, write_batch, &batch, write_options, flags));
	free_records(&records);
}

static void add_several(struct reftable_stack *stack)
{
	struct reftable_addition *addition = NULL;
	unsigned flags = random_chance(80) ? REFTABLE_STACK_NEW_ADDITION_RELOAD : 0;
	int err = reftable_stack_new_addition(&addition, stack, write_options, flags), count;
	uint64_t index = reftable_stack_next_update_index(stack);

	printf("new addition, flags %u: %d\n", flags, err);
	for (count = (int)random_below(4); !err && count; count--) {
		size_t refs = random_below(10), logs = random_below(5);
		struct records records = stack_records(refs, logs, index, index);
		struct batch batch = batch_of(&records, index, index);

		printf("add to it: %d\n", reftable_addition_add(addition, write_batch, &batch));
		free_records(&records);
		index += random_below(2);
	}
	if (!err && random_chance(80))
		printf("commit: %d\n", reftable_addition_commit(addition));
	reftable_addition_destroy(addition);
}

static void compact(struct reftable_stack *stack)
{
	struct reftable_log_expiry_config expiry = { 0 };

	/* Upstream crashes if there is no table and an expiry. */
	if (random_chance(50) || reftable_stack_next_update_index(stack) == 1) {
		printf("compact all: %d\n", reftable_stack_compact_all(stack, write_options, NULL));
		return;
	}
	if (random_chance(60))
		expiry.time = 1700000000 + random_below(1000);
	if (random_chance(60))
		expiry.min_update_index =
			random_below((unsigned)reftable_stack_next_update_index(stack) + 1);
	printf("compact all, expire %llu %llu: %d\n", (unsigned long long)expiry.time,
	       (unsigned long long)expiry.min_update_index, reftable_stack_compact_all(stack, write_options, &expiry));
}

static void compact_by_the_rule(struct reftable_stack *stack)
{
	bool required = false;
	int err = reftable_stack_compaction_required(stack, write_options, true, &required);

	printf("compaction required by the rule: %d, %d\n", err, required);
	err = reftable_stack_compaction_required(stack, write_options, false, &required);
	printf("compaction possible: %d, %d\n", err, required);
	printf("auto compact: %d\n", reftable_stack_auto_compact(stack, write_options));
}

static void read_some(struct reftable_stack *stack)
{
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };
	struct reftable_iterator it = { 0 };
	int i, err;

	for (i = 0; i < 10; i++) {
		const char *name = random_name(95);

		err = reftable_stack_read_ref(stack, name, &ref);
		detail("read_ref %s: %d", name, err);
		if (!err)
			detail_ref(&ref, hash_size);
		err = reftable_stack_read_log(stack, name, &log);
		detail("read_log %s: %d", name, err);
		if (!err)
			detail_log(&log, hash_size);
		walk_refs("refs", reftable_stack_init_ref_iterator(stack, &it), &it, name, 3, hash_size);
		walk_logs("logs", reftable_stack_init_log_iterator(stack, &it), &it, name,
			  random_below(50), 3, hash_size);
	}
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	end_details("reads");
}

static void read_all(struct reftable_stack *stack)
{
	struct reftable_iterator it = { 0 };

	walk_refs("refs", reftable_stack_init_ref_iterator(stack, &it), &it, "", -1, hash_size);
	end_details("refs");
	walk_logs("logs", reftable_stack_init_log_iterator(stack, &it), &it, "", UINT64_MAX, -1,
		  hash_size);
	end_details("logs");
}

static int report(struct reftable_fsck_info *info, void *arg)
{
	(void)arg;
	printf("fsck: %d %s\n", (int)info->error, info->msg);
	return 0;
}

static void verbose_fn(const char *msg, void *arg)
{
	(void)arg;
	printf("fsck: %.*s\n", (int)strlen("Checking table: 0x000000000001-0x000000000001"), msg);
}

static void operate(void)
{
	unsigned which = random_below(STACKS), kind = random_below(100);
	struct reftable_stack *stack = stacks[which];

	printf("- stack %u\n", which);
	if (kind < 45) {
		add(stack);
	} else if (kind < 55) {
		add_several(stack);
	} else if (kind < 62) {
		compact(stack);
	} else if (kind < 68) {
		compact_by_the_rule(stack);
	} else if (kind < 75) {
		printf("reload: %d\n", reftable_stack_reload(stack));
	} else if (kind < 78) {
		printf("clean: %d\n", reftable_stack_clean(stack));
	} else if (kind < 81) {
		printf("fsck: %d\n", reftable_fsck_check(stack, report, verbose_fn, NULL));
	} else if (kind < 84) {
		reftable_stack_destroy(stack);
		stacks[which] = NULL;
		printf("open: %d\n", make_stack(&stacks[which], directory, &options));
		stack = stacks[which];
	} else if (kind < 92) {
		read_some(stack);
	} else {
		read_all(stack);
	}
	print_stack(stack);
	print_directory();
}

void case_stack(void)
{
	unsigned operations = 10 + random_below(60), i;

	has_logs = !no_logs_in_stacks;
	options = random_options(has_logs);
	options.write.disable_auto_compact = random_chance(40);
	options.write.auto_compaction_factor = (uint8_t)(random_chance(50) ? 0 : 1 + random_below(6));
	if (random_chance(50))
		options.write.default_permissions = 0640;
	options.show_deletions = random_chance(30);
	hash_size = options.hash_id == REFTABLE_HASH_SHA256 ? 32 : 20;
	printf("disable_auto_compact %d factor %u\n", options.write.disable_auto_compact,
	       options.write.auto_compaction_factor);
	directory = directory_new();
	for (i = 0; i < STACKS; i++)
		printf("open: %d\n", make_stack(&stacks[i], directory, &options));
	for (i = 0; i < operations; i++)
		operate();
	for (i = 0; i < STACKS; i++) {
		printf("reload: %d\n", reftable_stack_reload(stacks[i]));
		read_all(stacks[i]);
		reftable_stack_destroy(stacks[i]);
	}
	print_directory();
	directory_remove(directory);
}
