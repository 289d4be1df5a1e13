/* reftable-stack.h: additions and their callbacks. */
#include "check.h"
#include "support.h"

static char *directory;
static struct reftable_stack *stack;

/* A stack with one ref, "a". */
static void set_up(void)
{
	directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	CHECK_INT(add_ref(stack, "a", 1), 0);
}

static void tear_down(void)
{
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

static int has_lock(void)
{
	return directory_has(directory, "tables.list.lock");
}

static int count_tables(void)
{
	return directory_count(directory, ".ref");
}

/* Whether the directory's files are unchanged; frees the snapshot. */
static void check_unchanged(char *before)
{
	char *now = directory_snapshot(directory);

	CHECK_STR(now, before);
	free(now);
	free(before);
}

static struct batch one_ref(struct reftable_ref_record *ref, const char *name, uint64_t update_index)
{
	struct batch batch = { .min = update_index, .max = update_index, .refs = ref, .ref_count = 1 };

	*ref = make_val1(name, update_index, 9);
	return batch;
}

static void committed(void)
{
	struct reftable_addition *addition = NULL;
	struct reftable_ref_record ref, other;
	struct batch first = one_ref(&ref, "b", 2), second = one_ref(&other, "c", 3);

	set_up();
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK(has_lock());
	CHECK_INT(reftable_addition_add(addition, write_batch, &first), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &second), 0);
	/* Nothing is visible before the commit. */
	CHECK_INT(read_seed(stack, "b"), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 2);
	CHECK_INT(reftable_addition_commit(addition), 0);
	CHECK(!has_lock());
	CHECK_INT(read_seed(stack, "b"), 9);
	CHECK_INT(read_seed(stack, "c"), 9);
	CHECK_INT(reftable_stack_next_update_index(stack), 4);
	reftable_addition_destroy(addition);
	tear_down();
}

static void given_up(void)
{
	struct reftable_addition *addition = NULL;
	struct reftable_ref_record ref;
	struct batch batch = one_ref(&ref, "b", 2);
	char *before;

	set_up();
	before = directory_snapshot(directory);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), 0);
	CHECK_INT(count_tables(), 3);
	reftable_addition_destroy(addition);
	check_unchanged(before);
	CHECK_INT(read_seed(stack, "b"), 0);
	reftable_addition_destroy(NULL);
	tear_down();
}

static void without_tables(void)
{
	struct reftable_addition *addition = NULL;
	char *before;

	set_up();
	before = directory_snapshot(directory);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_commit(addition), 0);
	CHECK(!has_lock());
	reftable_addition_destroy(addition);
	check_unchanged(before);
	tear_down();
}

static void committed_twice(void)
{
	struct reftable_addition *addition = NULL;
	struct reftable_ref_record ref;
	struct batch batch = one_ref(&ref, "b", 2);
	char *before;

	set_up();
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), 0);
	CHECK_INT(reftable_addition_commit(addition), 0);
	before = directory_snapshot(directory);
	CHECK_INT(reftable_addition_commit(addition), 0);
	reftable_addition_destroy(addition);
	check_unchanged(before);
	tear_down();
}

static void only_one_at_a_time(void)
{
	struct reftable_addition *addition = NULL, *second = NULL;
	struct reftable_stack *other = NULL;

	set_up();
	CHECK_INT(make_stack(&other, directory, NULL), 0);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_stack_new_addition(&second, other, write_options, 0), REFTABLE_LOCK_ERROR);
	CHECK(second == NULL);
	CHECK_INT(reftable_stack_new_addition(&second, stack, write_options, 0), REFTABLE_LOCK_ERROR);
	CHECK_INT(add_ref(stack, "b", 1), REFTABLE_LOCK_ERROR);
	CHECK(has_lock());
	reftable_addition_destroy(addition);
	CHECK_INT(reftable_stack_new_addition(&second, other, write_options, 0), 0);
	reftable_addition_destroy(second);
	reftable_stack_destroy(other);
	tear_down();
}

static void reload_flag(void)
{
	struct reftable_addition *addition = NULL;
	struct reftable_stack *other = NULL;

	set_up();
	CHECK_INT(make_stack(&other, directory, NULL), 0);
	CHECK_INT(add_ref(stack, "b", 2), 0);
	CHECK_INT(reftable_stack_new_addition(&addition, other, write_options, 0), REFTABLE_OUTDATED_ERROR);
	CHECK(!has_lock());
	CHECK_INT(reftable_stack_new_addition(&addition, other, write_options, REFTABLE_STACK_NEW_ADDITION_RELOAD), 0);
	CHECK_INT(read_seed(other, "b"), 2);
	CHECK_INT(reftable_stack_next_update_index(other), 3);
	reftable_addition_destroy(addition);
	reftable_stack_destroy(other);
	tear_down();
}

static void update_indexes(void)
{
	struct reftable_ref_record ref;
	struct batch batch;
	char *before;

	set_up();
	before = directory_snapshot(directory);
	batch = one_ref(&ref, "b", 1);
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), REFTABLE_API_ERROR);
	/* The lower limit matters, not the record. */
	batch.max = 5;
	ref.update_index = 5;
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), REFTABLE_API_ERROR);
	check_unchanged(before);
	/* Gaps are allowed. */
	batch = one_ref(&ref, "b", 100);
	batch.max = 200;
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 201);
	tear_down();
}

/* Both tables of one addition may have the same update index; the later one wins. */
static void same_update_index(void)
{
	struct reftable_addition *addition = NULL;
	struct reftable_ref_record ref, other;
	struct batch first = one_ref(&ref, "b", 2), second = one_ref(&other, "b", 2);

	set_up();
	ref.value.val1[0] = 1;
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &first), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &second), 0);
	CHECK_INT(reftable_addition_commit(addition), 0);
	reftable_addition_destroy(addition);
	CHECK_INT(read_seed(stack, "b"), 9);
	tear_down();
}

static int write_nothing(struct reftable_writer *writer, void *arg)
{
	(void)writer;
	++*(int *)arg;
	return 0;
}

static int write_limits(struct reftable_writer *writer, void *arg)
{
	++*(int *)arg;
	return reftable_writer_set_limits(writer, 2, 2);
}

static int write_old_limits(struct reftable_writer *writer, void *arg)
{
	++*(int *)arg;
	return reftable_writer_set_limits(writer, 1, 1);
}

/* A callback that writes nothing, or no records, is a success without a table. */
static void nothing_written(void)
{
	int (*const callbacks[])(struct reftable_writer *, void *) = {
		write_nothing, write_limits, write_old_limits
	};
	struct reftable_addition *addition = NULL;
	int calls = 0, i;
	char *before;

	set_up();
	before = directory_snapshot(directory);
	for (i = 0; i < 3; i++) {
		CHECK_INT(reftable_stack_add(stack, callbacks[i], &calls, write_options, 0), 0);
		CHECK_INT(calls, 2 * i + 1);
		CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
		CHECK_INT(reftable_addition_add(addition, callbacks[i], &calls), 0);
		CHECK_INT(count_tables(), 1);
		CHECK_INT(reftable_addition_commit(addition), 0);
		reftable_addition_destroy(addition);
	}
	check_unchanged(before);
	CHECK_INT(reftable_stack_next_update_index(stack), 2);
	tear_down();
}

static void failing_callback(void)
{
	struct reftable_addition *addition = NULL;
	struct reftable_ref_record ref;
	struct batch batch = one_ref(&ref, "b", 2);
	char *before;

	set_up();
	before = directory_snapshot(directory);
	batch.result = -77;
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), -77);
	CHECK(!has_lock());
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), -77);
	/* The addition continues without that table. */
	CHECK_INT(count_tables(), 1);
	batch.result = 0;
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), 0);
	reftable_addition_destroy(addition);
	check_unchanged(before);
	/* A positive code is not an error. */
	batch.result = 1;
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	CHECK_INT(read_seed(stack, "b"), 9);
	tear_down();
}

/* A callback that passes on the error of a refused record leaves no files. */
static void refused_records(void)
{
	struct reftable_ref_record refs[] = { make_val1("b", 2, 1), make_val1("b", 2, 2) };
	struct batch batch = { .min = 2, .max = 2, .refs = refs, .ref_count = 2 };
	char *before;

	set_up();
	before = directory_snapshot(directory);
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), REFTABLE_API_ERROR);
	check_unchanged(before);
	tear_down();
}

static void options_of_the_stack_are_the_writers(void)
{
	struct options options = { .write.block_size = 256 };
	struct reftable_stack *small = NULL;
	char name[300];

	set_up();
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	CHECK_INT(make_stack(&small, directory, &options), 0);
	CHECK_INT(add_ref(small, name, 1), REFTABLE_ENTRY_TOO_BIG_ERROR);
	CHECK_INT(add_ref(small, "b", 1), 0);
	CHECK_INT(add_log(small, "b", "two\nlines"), REFTABLE_API_ERROR);
	reftable_stack_destroy(small);
	options.write.exact_log_message = 1;
	CHECK_INT(make_stack(&small, directory, &options), 0);
	CHECK_INT(add_log(small, "b", "two\nlines"), 0);
	reftable_stack_destroy(small);
	tear_down();
}

int main(void)
{
	RUN(committed);
	RUN(given_up);
	RUN(without_tables);
	RUN(committed_twice);
	RUN(only_one_at_a_time);
	RUN(reload_flag);
	RUN(update_indexes);
	RUN(same_update_index);
	RUN(nothing_written);
	RUN(failing_callback);
	RUN(refused_records);
	RUN(options_of_the_stack_are_the_writers);
	return DONE();
}
