/* reftable-stack.h: compaction, its statistics, expiry, cleaning. */
#include "check.h"
#include "support.h"

static char *directory;

static struct reftable_stack *open_stack(int disable_auto_compact)
{
	struct options options = { .write.disable_auto_compact = disable_auto_compact };
	struct reftable_stack *stack = NULL;

	if (!directory)
		directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, &options), 0);
	return stack;
}

static void close_stack(struct reftable_stack *stack)
{
	reftable_stack_destroy(stack);
	directory_remove(directory);
	directory = NULL;
}

static int count_tables(void)
{
	return directory_count(directory, ".ref");
}

/* Adds tables with one ref each, "a", "b", ... */
static void add_refs(struct reftable_stack *stack, int count)
{
	char name[2] = "a";

	for (; count--; name[0]++)
		CHECK_INT(add_ref(stack, name, (unsigned)name[0]), 0);
}

static void all(void)
{
	struct reftable_stack *stack = open_stack(1);
	struct reftable_compaction_stats *stats = reftable_stack_compaction_stats(stack);

	/* With no table, or one, there is nothing to do. */
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	add_refs(stack, 1);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(stats->attempts, 0);
	add_refs(stack, 5);
	CHECK_INT(count_tables(), 6);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(count_tables(), 1);
	CHECK_INT(directory_count(directory, ""), 2);
	CHECK_INT(stats->attempts, 1);
	CHECK_INT(stats->failures, 0);
	CHECK_INT(stats->entries_written, 5);
	CHECK(stats->bytes > 0);
	CHECK_INT(read_seed(stack, "c"), 'c');
	CHECK_INT(reftable_stack_next_update_index(stack), 7);
	CHECK(stats == reftable_stack_compaction_stats(stack));
	close_stack(stack);
}

/* Deleted refs are removed; if none is left, so is the table. */
static void deletions(void)
{
	struct reftable_stack *stack = open_stack(1);
	struct reftable_ref_record gone = make_deletion("a", 2);
	struct batch batch = { .min = 2, .max = 2, .refs = &gone, .ref_count = 1 };
	char *list;
	size_t len;

	add_refs(stack, 1);
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(count_tables(), 0);
	list = directory_read(directory, "tables.list", &len);
	CHECK_STR(list, "");
	free(list);
	CHECK_INT(reftable_stack_next_update_index(stack), 1);
	CHECK_INT(add_ref(stack, "a", 4), 0);
	CHECK_INT(read_seed(stack, "a"), 4);
	close_stack(stack);
}

static void by_itself(void)
{
	struct reftable_stack *stack = open_stack(0);

	add_refs(stack, 20);
	CHECK(count_tables() < 6);
	CHECK(reftable_stack_compaction_stats(stack)->attempts > 3);
	CHECK_INT(read_seed(stack, "a"), 'a');
	CHECK_INT(read_seed(stack, "t"), 't');
	close_stack(stack);
}

static void required(void)
{
	struct reftable_stack *stack = open_stack(1);
	bool is_required = true;

	CHECK_INT(reftable_stack_compaction_required(stack, write_options, true, &is_required), 0);
	CHECK_INT(is_required, false);
	add_refs(stack, 1);
	is_required = true;
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, false, &is_required), 0);
	CHECK_INT(is_required, false);
	add_refs(stack, 1);
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, false, &is_required), 0);
	CHECK_INT(is_required, true);
	is_required = false;
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, true, &is_required), 0);
	CHECK_INT(is_required, true);
	CHECK_INT(count_tables(), 2);
	CHECK_INT(reftable_stack_auto_compact(stack, write_options), 0);
	CHECK_INT(count_tables(), 1);
	CHECK_INT(reftable_stack_auto_compact(stack, write_options), 0);
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, true, &is_required), 0);
	CHECK_INT(is_required, false);
	close_stack(stack);
}

/* A large and a small table need no compaction by the rule, but can be compacted. */
static void geometric(void)
{
	struct reftable_stack *stack = open_stack(1);
	struct reftable_ref_record *refs = make_branches(1000, 1);
	struct batch batch = { .min = 1, .max = 1, .refs = refs, .ref_count = 1000 };
	bool is_required = true;

	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	add_refs(stack, 1);
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, true, &is_required), 0);
	CHECK_INT(is_required, false);
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, false, &is_required), 0);
	CHECK_INT(is_required, true);
	CHECK_INT(reftable_stack_auto_compact(stack, write_options), 0);
	CHECK_INT(count_tables(), 2);
	CHECK_INT(reftable_stack_compaction_stats(stack)->attempts, 0);
	free(refs);
	close_stack(stack);
}

/* The remaining entries of a@1..5, whose times are 1700000001 and so on: "5 4 3". */
static const char *expire(uint64_t time, uint64_t min_update_index)
{
	struct reftable_log_expiry_config config = {
		.time = time, .min_update_index = min_update_index
	};
	struct reftable_stack *stack = open_stack(1);
	struct reftable_log_record log = { 0 };
	struct reftable_iterator it = { 0 };
	static char text[100];
	int i;

	for (i = 0; i < 5; i++)
		CHECK_INT(add_log(stack, "a", "m"), 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, &config), 0);
	CHECK_INT(reftable_stack_init_log_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, "a"), 0);
	text[0] = 0;
	while (!reftable_iterator_next_log(&it, &log))
		sprintf(text + strlen(text), "%d", (int)log.update_index);
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	close_stack(stack);
	return text;
}

static void expiry(void)
{
	CHECK_STR(expire(0, 0), "54321");
	CHECK_STR(expire(1700000003, 0), "543");
	CHECK_STR(expire(0, 4), "54");
	CHECK_STR(expire(1700000005, 2), "5");
	CHECK_STR(expire(1800000000, 0), "");
	CHECK_STR(expire(0, 100), "");
}

/* With an expiry a single table is rewritten as well. */
static void expiry_of_one_table(void)
{
	struct reftable_log_expiry_config config = { .min_update_index = 2 };
	struct reftable_stack *stack = open_stack(1);
	struct reftable_log_record logs[] = { make_log("a", 1, "m"), make_log("a", 2, "m") };
	struct batch batch = { .min = 1, .max = 2, .logs = logs, .log_count = 2 };
	struct reftable_log_record log = { 0 };

	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, &config), 0);
	CHECK_INT(count_tables(), 1);
	CHECK_INT(reftable_stack_read_log(stack, "a", &log), 0);
	CHECK_INT(log.update_index, 2);
	CHECK_INT(reftable_stack_compaction_stats(stack)->attempts, 1);
	CHECK_INT(reftable_stack_compaction_stats(stack)->entries_written, 1);
	reftable_log_record_release(&log);
	close_stack(stack);
}

#ifndef REFTABLE_UPSTREAM
/* Upstream locks the missing table. */
static void expiry_of_no_table(void)
{
	struct reftable_log_expiry_config config = { .min_update_index = 2 };
	struct reftable_stack *stack = open_stack(1);

	CHECK_INT(reftable_stack_compact_all(stack, write_options, &config), 0);
	CHECK_INT(directory_count(directory, ""), 0);
	close_stack(stack);
}
#endif

static void out_of_date(void)
{
	struct reftable_stack *one = open_stack(1), *two;

	add_refs(one, 3);
	two = open_stack(1);
	add_refs(one, 1);
	CHECK_INT(reftable_stack_compact_all(two, write_options, NULL), REFTABLE_OUTDATED_ERROR);
	CHECK_INT(count_tables(), 4);
	CHECK_INT(reftable_stack_reload(two), 0);
	CHECK_INT(reftable_stack_compact_all(two, write_options, NULL), 0);
	CHECK_INT(count_tables(), 1);
	/* The other stack reads on from its open tables. */
	CHECK_INT(read_seed(one, "c"), 'c');
	CHECK_INT(reftable_stack_reload(one), 0);
	CHECK_INT(read_seed(one, "c"), 'c');
	reftable_stack_destroy(two);
	close_stack(one);
}

static void locked(void)
{
	struct reftable_stack *stack = open_stack(1);
	struct reftable_compaction_stats *stats = reftable_stack_compaction_stats(stack);
	char *list;

	add_refs(stack, 3);
	directory_write(directory, "tables.list.lock", "", 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), REFTABLE_LOCK_ERROR);
	CHECK_INT(stats->attempts, 1);
	CHECK_INT(stats->failures, 1);
	directory_delete(directory, "tables.list.lock");

	/* A table that another process is compacting. */
	list = directory_read(directory, "tables.list", NULL);
	strcpy(strchr(list, '\n'), ".lock");
	directory_write(directory, list, "", 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), REFTABLE_LOCK_ERROR);
	CHECK_INT(stats->attempts, 2);
	CHECK_INT(stats->failures, 2);
	CHECK_INT(count_tables(), 3);
	CHECK_INT(directory_count(directory, ".lock"), 1);
	/* Automatic compaction takes the others. */
	CHECK_INT(reftable_stack_auto_compact(stack, write_options), 0);
	CHECK_INT(count_tables(), 2);
	CHECK_INT(stats->attempts, 3);
	CHECK_INT(stats->failures, 2);
	CHECK_INT(stats->entries_written, 2);
	free(list);
	close_stack(stack);
}

static void cleaning(void)
{
	struct reftable_stack *stack = open_stack(1), *other = NULL;
	char *list, *table, *second = directory_new();
	size_t len;

	add_refs(stack, 2);
	write_options = NULL;
	CHECK_INT(make_stack(&other, second, NULL), 0);
	CHECK_INT(add_ref(other, "x", 1), 0);
	list = directory_read(second, "tables.list", NULL);
	list[strlen(list) - 1] = 0;
	table = directory_read(second, list, &len);
	/* An unlisted table that is not newer is removed; files that are not tables are kept. */
	directory_write(directory, "stale.ref", table, len);
	directory_write(directory, "damaged.ref", "x", 1);
	directory_write(directory, "stale.old", table, len);
	CHECK_INT(reftable_stack_clean(stack), 0);
	CHECK(!directory_has(directory, "stale.ref"));
	CHECK(directory_has(directory, "damaged.ref"));
	CHECK(directory_has(directory, "stale.old"));
	CHECK(!directory_has(directory, "tables.list.lock"));
	CHECK_INT(read_seed(stack, "a"), 'a');
	CHECK_INT(read_seed(stack, "b"), 'b');

	/* A newer table may be about to be listed. */
	free(list);
	free(table);
	for (int i = 0; i < 5; i++)
		CHECK_INT(add_ref(other, "x", 1), 0);
	list = directory_read(second, "tables.list", NULL);
	list[strcspn(list, "\n")] = 0;
	table = directory_read(second, list, &len);
	directory_write(directory, "newer.ref", table, len);
	CHECK_INT(reftable_stack_clean(stack), 0);
	CHECK(directory_has(directory, "newer.ref"));
	free(list);
	free(table);
	reftable_stack_destroy(other);
	directory_remove(second);
	close_stack(stack);
}

static void cleaning_out_of_date(void)
{
	struct reftable_stack *one = open_stack(1), *two = open_stack(1);

	add_refs(one, 1);
	CHECK_INT(reftable_stack_clean(two), REFTABLE_OUTDATED_ERROR);
	CHECK_INT(count_tables(), 1);
	reftable_stack_destroy(two);
	close_stack(one);
}

static void check_message(struct reftable_stack *stack, const char *name, const char *message)
{
	struct reftable_log_record log = { 0 };

	CHECK_INT(reftable_stack_read_log(stack, name, &log), 0);
	CHECK_STR(log.value.update.message, message);
	reftable_log_record_release(&log);
}

/*
 * An entry without a message keeps none when it is written. Compaction makes it an empty line, like
 * the message of any other entry. libgit2 releases an empty message, and then the record.
 */
static void entries_without_message(void)
{
	struct reftable_stack *stack = open_stack(1);

	CHECK_INT(add_log(stack, "a", NULL), 0);
	CHECK_INT(add_log(stack, "b", "message"), 0);
	check_message(stack, "a", "");
	check_message(stack, "b", "message\n");
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	check_message(stack, "a", "\n");
	check_message(stack, "b", "message\n");
	close_stack(stack);
}

int main(void)
{
	RUN(all);
	RUN(deletions);
	RUN(entries_without_message);
	RUN(by_itself);
	RUN(required);
	RUN(geometric);
	RUN(expiry);
	RUN(expiry_of_one_table);
#ifndef REFTABLE_UPSTREAM
	RUN(expiry_of_no_table);
#endif
	RUN(out_of_date);
	RUN(locked);
	RUN(cleaning);
	RUN(cleaning_out_of_date);
	return DONE();
}
