/* Callbacks that call the library while it works on the same stack. */
#include "check.h"
#include "support.h"

#include "reftable/reftable-fsck.h"
#include "reftable/reftable-merged.h"

static char *directory;
static struct reftable_stack *stack;

/* A stack with refs "a" and "b" and a log of "a", in three tables. */
static void set_up(const struct options *options)
{
	struct options none = { .write.disable_auto_compact = 1 };

	directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, options ? options : &none), 0);
	CHECK_INT(add_ref(stack, "a", 1), 0);
	CHECK_INT(add_ref(stack, "b", 2), 0);
	CHECK_INT(add_log(stack, "a", "m"), 0);
}

static void tear_down(void)
{
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

/* Everything that reads. */
static void read_all(struct reftable_stack *from)
{
	struct reftable_merged_table *merged = reftable_stack_merged_table(from);
	struct reftable_iterator it = { 0 };
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };
	bool required = false;

	CHECK_INT(read_seed(from, "a"), 1);
	CHECK_INT(read_seed(from, "b"), 2);
	CHECK_INT(reftable_stack_next_update_index(from), 4);
	CHECK_INT(reftable_stack_read_log(from, "a", &log), 0);
	CHECK_INT(reftable_stack_init_ref_iterator(from, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, "aa"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "b");
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 1);
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_stack_init_log_iterator(from, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &log), 0);
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_merged_table_max_update_index(merged), 3);
	CHECK_INT(reftable_stack_hash_id(from), REFTABLE_HASH_SHA1);
	CHECK_INT(reftable_stack_compaction_required(from, write_options, true, &required), 0);
	CHECK(reftable_stack_compaction_stats(from) != NULL);
	CHECK_INT(reftable_stack_reload(from), 0);
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
}

/* Writes "c" with a value found by reading "a". */
static int write_and_read(struct reftable_writer *writer, void *arg)
{
	struct reftable_ref_record ref;
	uint64_t index = reftable_stack_next_update_index(stack);
	int *calls = arg;

	++*calls;
	read_all(stack);
	CHECK_INT(reftable_writer_set_limits(writer, index, index), 0);
	ref = make_val1("c", index, (unsigned)read_seed(stack, "a") + 2);
	CHECK_INT(reftable_writer_add_ref(writer, &ref), 0);
	read_all(stack);
	return 0;
}

static void read_in_stack_add(void)
{
	int calls = 0;

	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, write_and_read, &calls, write_options, 0), 0);
	CHECK_INT(calls, 1);
	CHECK_INT(read_seed(stack, "c"), 3);
	tear_down();
}

static void read_in_addition_add(void)
{
	struct reftable_addition *addition = NULL;
	int calls = 0;

	set_up(NULL);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	read_all(stack);
	CHECK_INT(reftable_addition_add(addition, write_and_read, &calls), 0);
	read_all(stack);
	CHECK_INT(reftable_addition_commit(addition), 0);
	reftable_addition_destroy(addition);
	CHECK_INT(read_seed(stack, "c"), 3);
	tear_down();
}

/* An iterator older than the addition continues in the callback. */
static int write_walked(struct reftable_writer *writer, void *arg)
{
	struct reftable_ref_record ref = { 0 };
	uint64_t index = reftable_stack_next_update_index(stack);

	CHECK_INT(reftable_writer_set_limits(writer, index, index), 0);
	while (!reftable_iterator_next_ref(arg, &ref)) {
		ref.update_index = index;
		ref.value_type = REFTABLE_REF_DELETION;
		CHECK_INT(reftable_writer_add_ref(writer, &ref), 0);
	}
	reftable_ref_record_release(&ref);
	return 0;
}

static void walk_in_stack_add(void)
{
	struct reftable_iterator it = { 0 };

	set_up(NULL);
	CHECK_INT(reftable_stack_init_ref_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_stack_add(stack, write_walked, &it, write_options, 0), 0);
	reftable_iterator_destroy(&it);
	CHECK_INT(read_seed(stack, "a"), 0);
	CHECK_INT(read_seed(stack, "b"), 0);
	tear_down();
}

static int open_second_stack(struct reftable_writer *writer, void *arg)
{
	struct reftable_stack *second = NULL;

	CHECK_INT(make_stack(&second, directory, NULL), 0);
	read_all(second);
	/* It cannot write: the directory is locked. */
	CHECK_INT(add_ref(second, "x", 1), REFTABLE_LOCK_ERROR);
	CHECK_INT(reftable_stack_compact_all(second, write_options, NULL), REFTABLE_LOCK_ERROR);
	reftable_stack_destroy(second);
	return write_and_read(writer, arg);
}

static void second_stack_in_stack_add(void)
{
	int calls = 0;

	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, open_second_stack, &calls, write_options, 0), 0);
	CHECK_INT(read_seed(stack, "c"), 3);
	CHECK_INT(read_seed(stack, "x"), 0);
	tear_down();
}

static int write_the_same_stack(struct reftable_writer *writer, void *arg)
{
	struct reftable_addition *addition = NULL;
	int calls = 0;

	CHECK_INT(reftable_stack_add(stack, write_and_read, &calls, write_options, 0), REFTABLE_LOCK_ERROR);
	CHECK_INT(calls, 0);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), REFTABLE_LOCK_ERROR);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), REFTABLE_LOCK_ERROR);
	CHECK_INT(reftable_stack_auto_compact(stack, write_options), REFTABLE_LOCK_ERROR);
	CHECK_INT(reftable_stack_clean(stack), REFTABLE_LOCK_ERROR);
	return write_and_read(writer, arg);
}

static void write_in_stack_add(void)
{
	int calls = 0;

	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, write_the_same_stack, &calls, write_options, 0), 0);
	CHECK_INT(calls, 1);
	CHECK_INT(read_seed(stack, "c"), 3);
	tear_down();
}

static int write_another_directory(struct reftable_writer *writer, void *arg)
{
	struct reftable_stack *other = NULL;
	char *other_directory = directory_new();

	CHECK_INT(make_stack(&other, other_directory, NULL), 0);
	CHECK_INT(add_ref(other, "x", 7), 0);
	CHECK_INT(add_ref(other, "y", 7), 0);
	CHECK_INT(reftable_stack_compact_all(other, write_options, NULL), 0);
	CHECK_INT(read_seed(other, "x"), 7);
	reftable_stack_destroy(other);
	directory_remove(other_directory);
	return write_and_read(writer, arg);
}

static void another_directory_in_stack_add(void)
{
	int calls = 0;

	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, write_another_directory, &calls, write_options, 0), 0);
	CHECK_INT(read_seed(stack, "c"), 3);
	tear_down();
}

/* Another writer and a reader within the callback. */
static int write_table_in_memory(struct reftable_writer *writer, void *arg)
{
	struct reftable_ref_record ref = make_val1("m", 1, 1);
	struct buffer buffer = { 0 };

	buffer_table(&buffer, NULL, &ref, 1, NULL, 0);
	reftable_table_decref(buffer_open(&buffer, "m"));
	buffer_release(&buffer);
	return write_and_read(writer, arg);
}

static void writer_in_stack_add(void)
{
	int calls = 0;

	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, write_table_in_memory, &calls, write_options, 0), 0);
	CHECK_INT(read_seed(stack, "c"), 3);
	tear_down();
}

static int reload_calls;

static void read_on_reload(void *payload)
{
	struct reftable_stack *reloaded = *(struct reftable_stack **)payload;

	reload_calls++;
	/* NULL while the stack is being opened. */
	if (!reloaded)
		return;
	CHECK(read_seed(reloaded, "a") >= 0);
	CHECK(reftable_stack_next_update_index(reloaded) >= 1);
	CHECK_INT(reftable_stack_reload(reloaded), 0);
}

static void read_in_on_reload(void)
{
	struct options options = {
		.on_reload = read_on_reload, .on_reload_payload = &stack
	};
	int before;

	set_up(&options);
	before = reload_calls;
	CHECK(before > 3);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(add_ref(stack, "c", 3), 0);
	CHECK(reload_calls > before);
	tear_down();
}

static int fsck_calls;

static int report(struct reftable_fsck_info *info, void *arg)
{
	CHECK_STR(info->msg, "");
	(void)arg;
	return 0;
}

static void read_and_add(const char *msg, void *arg)
{
	CHECK(msg != NULL);
	fsck_calls++;
	read_all(arg);
}

static void read_in_fsck(void)
{
	set_up(NULL);
	CHECK_INT(reftable_fsck_check(stack, report, read_and_add, stack), 0);
	CHECK_INT(fsck_calls, 3);
	tear_down();
}

#ifndef REFTABLE_UPSTREAM
/* ---- a stack that is destroyed while the library works on it: upstream's crashes ---- */

static int destroy_and_write(struct reftable_writer *writer, void *arg)
{
	struct reftable_ref_record ref = make_val1("c", 4, 3);

	reftable_stack_destroy(arg);
	CHECK_INT(reftable_writer_set_limits(writer, 4, 4), 0);
	CHECK_INT(reftable_writer_add_ref(writer, &ref), 0);
	return 0;
}

static int destroy_and_fail(struct reftable_writer *writer, void *arg)
{
	(void)writer;
	reftable_stack_destroy(arg);
	return -1234;
}

/* Checks that the stack is destroyed and its directory contains these refs. */
static void check_destroyed(int c)
{
	CHECK_INT(directory_count(directory, ".lock"), 0);
	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	CHECK_INT(read_seed(stack, "a"), 1);
	CHECK_INT(read_seed(stack, "c"), c);
	tear_down();
}

static void destroy_in_stack_add(void)
{
	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, destroy_and_write, stack, write_options, 0), 0);
	check_destroyed(3);
	set_up(NULL);
	CHECK_INT(reftable_stack_add(stack, destroy_and_fail, stack, write_options, 0), -1234);
	check_destroyed(0);
}

static void destroy_in_addition_add(void)
{
	struct reftable_addition *addition = NULL;

	set_up(NULL);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(addition, destroy_and_write, stack), 0);
	CHECK_INT(reftable_addition_commit(addition), 0);
	reftable_addition_destroy(addition);
	check_destroyed(3);
}

/* Not allowed, but freed memory must not be used. */
static void destroy_before_addition(void)
{
	struct reftable_addition *addition = NULL;

	set_up(NULL);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	reftable_stack_destroy(stack);
	CHECK_INT(directory_count(directory, ".lock"), 1);
	reftable_addition_destroy(addition);
	check_destroyed(0);
}

static struct reftable_stack *to_destroy;

static void destroy_on_reload(void *payload)
{
	(void)payload;
	reftable_stack_destroy(to_destroy);
	to_destroy = NULL;
}

static int compact_all(struct reftable_stack *st)
{
	return reftable_stack_compact_all(st, write_options, NULL);
}

static int auto_compact(struct reftable_stack *st)
{
	return reftable_stack_auto_compact(st, write_options);
}

static int add_c(struct reftable_stack *st)
{
	return add_ref(st, "c", 3);
}

static void destroy_in_on_reload(void)
{
	struct {
		int (*change)(struct reftable_stack *);
		int c;
	} changes[] = {
		{ compact_all, 0 }, { auto_compact, 0 }, { add_c, 3 },
	};
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct options options = { .on_reload = destroy_on_reload };

		set_up(&options);
		to_destroy = stack;
		CHECK_INT(changes[i].change(stack), 0);
		/* Nothing was compacted. */
		if (to_destroy)
			destroy_on_reload(NULL);
		check_destroyed(changes[i].c);
	}
}

static void destroy_in_reload(void)
{
	struct options options = { .on_reload = destroy_on_reload };
	struct reftable_stack *other = NULL;

	set_up(&options);
	CHECK_INT(make_stack(&other, directory, NULL), 0);
	CHECK_INT(add_ref(other, "c", 3), 0);
	reftable_stack_destroy(other);
	to_destroy = stack;
	CHECK_INT(reftable_stack_reload(stack), 0);
	CHECK(to_destroy == NULL);
	check_destroyed(3);
}

static void destroy_once(const char *msg, void *arg)
{
	CHECK(msg != NULL);
	(void)arg;
	destroy_on_reload(NULL);
	fsck_calls++;
}

static void destroy_in_fsck(void)
{
	set_up(NULL);
	fsck_calls = 0;
	to_destroy = stack;
	CHECK_INT(reftable_fsck_check(stack, report, destroy_once, NULL), 0);
	CHECK_INT(fsck_calls, 3);
	check_destroyed(0);
}
#endif

int main(void)
{
#ifndef REFTABLE_UPSTREAM
	RUN(destroy_in_stack_add);
	RUN(destroy_in_addition_add);
	RUN(destroy_before_addition);
	RUN(destroy_in_on_reload);
	RUN(destroy_in_reload);
	RUN(destroy_in_fsck);
#endif
	RUN(read_in_stack_add);
	RUN(read_in_addition_add);
	RUN(walk_in_stack_add);
	RUN(second_stack_in_stack_add);
	RUN(write_in_stack_add);
	RUN(another_directory_in_stack_add);
	RUN(writer_in_stack_add);
	RUN(read_in_on_reload);
	RUN(read_in_fsck);
	return DONE();
}
