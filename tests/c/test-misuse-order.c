/* Calls in an invalid order: an error code. Upstream crashes or writes on. */
#include "check.h"
#include "support.h"

static struct buffer buffer;

static struct reftable_writer *new_writer(const struct reftable_write_options *options)
{
	struct reftable_writer *writer = NULL;

	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, options), 0);
	CHECK_INT(reftable_writer_set_limits(writer, 1, 1), 0);
	return writer;
}

/* The writer is unusable, and nothing is written. */
static void check_over(struct reftable_writer *writer)
{
	struct reftable_ref_record ref = make_val1("z", 1, 1);
	struct reftable_log_record log = make_log("z", 1, "m");
	size_t len = buffer.len;

	CHECK_INT(reftable_writer_set_limits(writer, 1, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_ref(writer, &ref), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_refs(writer, &ref, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_log(writer, &log), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_logs(writer, &log, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_close(writer), REFTABLE_API_ERROR);
	CHECK_INT(buffer.len, len);
}

static void closed_writer(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);
	struct reftable_writer *writer = new_writer(NULL);

	CHECK_INT(reftable_writer_add_ref(writer, &ref), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	check_over(writer);
	CHECK_INT(reftable_writer_stats(writer)->ref_stats.entries, 1);
	reftable_table_decref(buffer_open(&buffer, "table"));
	reftable_writer_free(writer);
	buffer_release(&buffer);
}

static void closed_empty_writer(void)
{
	struct reftable_writer *writer = new_writer(NULL);

	CHECK_INT(reftable_writer_close(writer), REFTABLE_EMPTY_TABLE_ERROR);
	check_over(writer);
	reftable_writer_free(writer);
	buffer_release(&buffer);
}

/* A writer whose write has failed does not continue. */
static void broken_writer(void)
{
	struct reftable_write_options options = { .block_size = 256 };
	struct reftable_ref_record *refs = make_branches(100, 1), late = make_val1("z", 1, 1);
	struct reftable_writer *writer = new_writer(&options);
	size_t len;

	buffer.fail_write_at = 1;
	buffer.error = -77;
	CHECK_INT(reftable_writer_add_refs(writer, refs, 100), -77);
	len = buffer.len;
	CHECK(reftable_writer_add_ref(writer, &late) < 0);
	CHECK(reftable_writer_close(writer) < 0);
	CHECK_INT(buffer.len, len);
	reftable_writer_free(writer);
	buffer_release(&buffer);
	free(refs);
}

static void unknown_hash(void)
{
	struct options options = { .hash_id = (enum reftable_hash)5 };
	struct reftable_writer *writer = NULL;
	struct reftable_stack *stack = NULL;
	char *directory = directory_new();

	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, options.hash_id, NULL),
		  REFTABLE_API_ERROR);
	CHECK(writer == NULL);
	CHECK_INT(make_stack(&stack, directory, &options), REFTABLE_API_ERROR);
	CHECK(stack == NULL);
	directory_remove(directory);
}

static void addition_that_is_over(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);
	struct batch batch = { .min = 1, .max = 1, .refs = &ref, .ref_count = 1 };
	struct reftable_addition *addition = NULL;
	struct reftable_stack *stack = NULL;
	char *directory = directory_new(), *before, *after;

	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), 0);
	CHECK_INT(reftable_addition_commit(addition), 0);
	before = directory_snapshot(directory);
	batch.min = batch.max = ref.update_index = 2;
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), REFTABLE_API_ERROR);
	CHECK_INT(reftable_addition_commit(addition), 0);
	after = directory_snapshot(directory);
	CHECK_STR(after, before);
	reftable_addition_destroy(addition);
	free(before);
	free(after);
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

/* The addition's own callback adds to it and commits it. */
static struct reftable_addition *own_addition;

static int use_addition(struct reftable_writer *writer, void *arg)
{
	struct batch nothing = { 0 };

	CHECK_INT(reftable_addition_add(own_addition, write_batch, &nothing), REFTABLE_API_ERROR);
	CHECK_INT(reftable_addition_commit(own_addition), REFTABLE_API_ERROR);
	return write_batch(writer, arg);
}

static void addition_in_its_own_callback(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);
	struct batch batch = { .min = 1, .max = 1, .refs = &ref, .ref_count = 1 };
	struct reftable_stack *stack = NULL;
	char *directory = directory_new();

	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	CHECK_INT(reftable_stack_new_addition(&own_addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(own_addition, use_addition, &batch), 0);
	CHECK_INT(reftable_addition_commit(own_addition), 0);
	reftable_addition_destroy(own_addition);
	CHECK_INT(read_seed(stack, "a"), 1);
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

static struct reftable_writer *outer;

/* Called by the writer, which must not be used here. */
static ssize_t write_again(void *arg, const void *bytes, size_t len)
{
	struct reftable_ref_record ref = make_val1("z", 1, 1);

	CHECK_INT(reftable_writer_add_ref(outer, &ref), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_close(outer), REFTABLE_API_ERROR);
	return buffer_write(arg, bytes, len);
}

static void writer_in_its_own_callback(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);

	CHECK_INT(make_writer(&outer, write_again, buffer_flush, &buffer, 0, NULL), 0);
	CHECK_INT(reftable_writer_set_limits(outer, 1, 1), 0);
	CHECK_INT(reftable_writer_add_ref(outer, &ref), 0);
	CHECK_INT(reftable_writer_close(outer), 0);
	CHECK_INT(reftable_writer_stats(outer)->ref_stats.entries, 1);
	reftable_writer_free(outer);
	reftable_table_decref(buffer_open(&buffer, "table"));
	buffer_release(&buffer);
}

/* The callback of an addition closes the writer itself. */
static int close_writer(struct reftable_writer *writer, void *arg)
{
	int err = write_batch(writer, arg);

	return err ? err : reftable_writer_close(writer);
}

static void callback_that_closes(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);
	struct batch batch = { .min = 1, .max = 1, .refs = &ref, .ref_count = 1 };
	struct reftable_stack *stack = NULL;
	char *directory = directory_new();

	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	CHECK_INT(reftable_stack_add(stack, close_writer, &batch, write_options, 0), REFTABLE_API_ERROR);
	CHECK_INT(directory_count(directory, ""), 0);
	CHECK_INT(add_ref(stack, "a", 1), 0);
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

int main(void)
{
	RUN(closed_writer);
	RUN(closed_empty_writer);
	RUN(broken_writer);
	RUN(unknown_hash);
	RUN(addition_that_is_over);
	RUN(addition_in_its_own_callback);
	RUN(writer_in_its_own_callback);
	RUN(callback_that_closes);
	return DONE();
}
