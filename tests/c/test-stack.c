/* reftable-stack.h: opening, reading, reloading, outdated views, locks, modes. */
#include <signal.h>
#include <sys/stat.h>

#include "check.h"
#include "support.h"

#include "reftable/reftable-merged.h"

static char *directory;

static struct reftable_stack *open_stack(const struct options *options)
{
	struct reftable_stack *stack = NULL;

	if (!directory)
		directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, options), 0);
	CHECK(stack != NULL);
	return stack;
}

static void close_stack(struct reftable_stack *stack)
{
	reftable_stack_destroy(stack);
	directory_remove(directory);
	directory = NULL;
}

static void new_stack(void)
{
	struct reftable_stack *stack = open_stack(NULL);
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };

	/* Opening writes nothing. */
	CHECK_INT(directory_count(directory, ""), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 1);
	CHECK_INT(reftable_stack_hash_id(stack), REFTABLE_HASH_SHA1);
	CHECK_INT(reftable_stack_read_ref(stack, "a", &ref), 1);
	CHECK_INT(reftable_stack_read_log(stack, "a", &log), 1);
	CHECK_INT(reftable_stack_compaction_stats(stack)->attempts, 0);
	CHECK(reftable_stack_merged_table(stack) != NULL);
	CHECK_INT(reftable_merged_table_max_update_index(reftable_stack_merged_table(stack)), 0);
	CHECK_INT(reftable_stack_reload(stack), 0);
	close_stack(stack);
	reftable_stack_destroy(NULL);
}

static void missing_directory(void)
{
	struct reftable_stack *stack = NULL;
	char *path;

	directory = directory_new();
	path = directory_path(directory, "missing");
	/* It is an empty stack until something is written. */
	CHECK_INT(make_stack(&stack, path, NULL), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 1);
	CHECK_INT(add_ref(stack, "a", 1), REFTABLE_IO_ERROR);
	CHECK_INT(reftable_stack_clean(stack), REFTABLE_IO_ERROR);
	free(path);
	close_stack(stack);
}

static void damaged_directories(void)
{
	struct options sha256 = { .hash_id = REFTABLE_HASH_SHA256 };
	struct reftable_stack *stack = open_stack(NULL), *other = NULL;
	char *list, *table;
	size_t len;

	CHECK_INT(add_ref(stack, "a", 1), 0);
	other = stack;
	CHECK_INT(make_stack(&other, directory, &sha256), REFTABLE_FORMAT_ERROR);
	CHECK(other == NULL);

	list = directory_read(directory, "tables.list", &len);
	directory_write(directory, "tables.list", list, len - 1);
	CHECK_INT(make_stack(&other, directory, NULL), REFTABLE_FORMAT_ERROR);
	directory_write(directory, "tables.list", "missing.ref\n", 12);
	CHECK_INT(make_stack(&other, directory, NULL), REFTABLE_NOT_EXIST_ERROR);
	/* Empty lines are skipped. */
	directory_write(directory, "tables.list", "\n\n", 2);
	CHECK_INT(make_stack(&other, directory, NULL), 0);
	CHECK_INT(reftable_stack_next_update_index(other), 1);
	reftable_stack_destroy(other);
	other = NULL;

	directory_write(directory, "tables.list", list, len);
	list[len - 1] = 0;
	table = directory_read(directory, list, &len);
	directory_write(directory, list, table, len - 1);
	CHECK_INT(make_stack(&other, directory, NULL), REFTABLE_FORMAT_ERROR);
	directory_write(directory, list, "", 0);
	CHECK_INT(make_stack(&other, directory, NULL), REFTABLE_FORMAT_ERROR);
	CHECK(other == NULL);
	directory_write(directory, list, table, len);
	free(table);
	free(list);
	close_stack(stack);
}

static void list_that_is_no_file(void)
{
	struct reftable_stack *stack = NULL;
	char *path;

	directory = directory_new();
	path = directory_path(directory, "tables.list");
	CHECK_INT(mkdir(path, 0777), 0);
	CHECK_INT(make_stack(&stack, directory, NULL), REFTABLE_IO_ERROR);
	CHECK(stack == NULL);
	free(path);
	directory_remove(directory);
}

static void read_refs(void)
{
	struct reftable_stack *stack = open_stack(NULL);
	struct reftable_ref_record refs[] = {
		make_val1("a", 1, 1), make_val2("b", 1, 2), make_symref("c", 1, "a"),
		make_deletion("d", 1)
	};
	struct batch batch = { .min = 1, .max = 1, .refs = refs, .ref_count = 4 };
	struct reftable_ref_record got = { 0 };

	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 2);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(reftable_stack_read_ref(stack, refs[i].refname, &got), 0);
		CHECK(reftable_ref_record_equal(&got, &refs[i], 20));
	}
	/* Deleted, unknown, between two others, after the last. */
	CHECK_INT(reftable_stack_read_ref(stack, "d", &got), 1);
	CHECK_INT(reftable_stack_read_ref(stack, "aa", &got), 1);
	CHECK_INT(reftable_stack_read_ref(stack, "", &got), 1);
	CHECK_INT(reftable_stack_read_ref(stack, "z", &got), 1);
	reftable_ref_record_release(&got);
	close_stack(stack);
}

static void read_logs(void)
{
	struct reftable_stack *stack = open_stack(NULL);
	struct reftable_log_record logs[] = {
		make_log("a", 1, "first\n"), make_log("a", 2, "second\n"), make_log_deletion("b", 2)
	};
	struct batch batch = { .min = 1, .max = 2, .logs = logs, .log_count = 3 };
	struct reftable_log_record got = { 0 };

	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 3);
	/* The newest. */
	CHECK_INT(reftable_stack_read_log(stack, "a", &got), 0);
	CHECK_INT(got.update_index, 2);
	CHECK_STR(got.value.update.message, "second\n");
	CHECK_INT(reftable_stack_read_log(stack, "b", &got), 1);
	CHECK(got.refname == NULL);
	CHECK_INT(reftable_stack_read_log(stack, "", &got), 1);
	CHECK_INT(reftable_stack_read_log(stack, "z", &got), 1);
	CHECK(got.refname == NULL);
	reftable_log_record_release(&got);
	close_stack(stack);
}

static void iterators(void)
{
	struct reftable_stack *stack = open_stack(NULL);
	struct reftable_ref_record ref = { 0 }, gone = make_deletion("b", 4);
	struct reftable_log_record log = { 0 }, gone_log = make_log_deletion("a", 3);
	struct batch batch = {
		.min = 4, .max = 4, .refs = &gone, .ref_count = 1, .logs = &gone_log, .log_count = 1
	};
	struct reftable_iterator it = { 0 };

	CHECK_INT(add_ref(stack, "b", 1), 0);
	CHECK_INT(add_ref(stack, "c", 1), 0);
	CHECK_INT(add_log(stack, "a", "m"), 0);
	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, write_options, 0), 0);

	/* Deleted refs are hidden. */
	CHECK_INT(reftable_stack_init_ref_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "c");
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 1);
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_stack_init_log_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &log), 1);
	reftable_iterator_destroy(&it);
	/* Also in the view that the stack returns. */
	CHECK_INT(reftable_merged_table_init_ref_iterator(reftable_stack_merged_table(stack), &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "c");
	reftable_iterator_destroy(&it);
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	close_stack(stack);
}

/* Iterators stay usable while their stack changes, and even after it is destroyed. */
static void iterators_outlive_the_stack(void)
{
	struct reftable_stack *stack;
	struct reftable_ref_record ref = { 0 };
	struct reftable_iterator it = { 0 };
	char name[2] = "a";

	allocator_install();
	stack = open_stack(NULL);
	for (; name[0] < 'f'; name[0]++)
		CHECK_INT(add_ref(stack, name, (unsigned)name[0]), 0);
	CHECK_INT(reftable_stack_init_ref_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "a");
	CHECK_INT(add_ref(stack, "aa", 1), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "b");
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "c");
	CHECK_INT(reftable_iterator_seek_ref(&it, "a"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "b");
	close_stack(stack);
	CHECK_INT(reftable_iterator_seek_ref(&it, "d"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "d");
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	CHECK_INT(allocator_live(), 0);
}

static void reload(void)
{
	struct reftable_stack *one = open_stack(NULL), *two = open_stack(NULL);

	CHECK_INT(add_ref(one, "a", 1), 0);
	CHECK_INT(read_seed(two, "a"), 0);
	CHECK_INT(reftable_stack_next_update_index(two), 1);
	CHECK_INT(reftable_stack_reload(two), 0);
	CHECK_INT(read_seed(two, "a"), 1);
	CHECK_INT(reftable_stack_next_update_index(two), 2);
	CHECK_INT(reftable_stack_reload(two), 0);
	reftable_stack_destroy(two);
	close_stack(one);
}

/* A failed reload leaves the stack as it was. */
static void failed_reload(void)
{
	struct reftable_stack *stack = open_stack(NULL);
	char *new_list = directory_path(directory, "new"), *list = directory_path(directory, "tables.list");

	CHECK_INT(add_ref(stack, "a", 7), 0);
	/* Lists are replaced, never rewritten. */
	directory_write(directory, "new", "missing.ref\n", 12);
	CHECK_INT(rename(new_list, list), 0);
	free(new_list);
	free(list);
	CHECK_INT(reftable_stack_reload(stack), REFTABLE_NOT_EXIST_ERROR);
	CHECK_INT(read_seed(stack, "a"), 7);
	CHECK_INT(reftable_stack_next_update_index(stack), 2);
	close_stack(stack);
}

static void out_of_date(void)
{
	struct reftable_stack *one = open_stack(NULL), *two = open_stack(NULL);
	struct reftable_ref_record ref = make_val1("c", 3, 3);
	struct batch batch = { .min = 3, .max = 3, .refs = &ref, .ref_count = 1 };
	struct reftable_addition *addition = NULL;

	CHECK_INT(add_ref(one, "a", 1), 0);
	CHECK_INT(add_ref(two, "b", 2), REFTABLE_OUTDATED_ERROR);
	CHECK_INT(directory_has(directory, "tables.list.lock"), 0);
	/* It has been reloaded, so the next attempt works. */
	CHECK_INT(add_ref(two, "b", 2), 0);

	CHECK_INT(reftable_stack_new_addition(&addition, one, write_options, 0), REFTABLE_OUTDATED_ERROR);
	CHECK(addition == NULL);
	CHECK_INT(read_seed(one, "b"), 0);
	CHECK_INT(reftable_stack_compact_all(one, write_options, NULL), 0);
	CHECK_INT(reftable_stack_add(one, write_batch, &batch, write_options, REFTABLE_STACK_NEW_ADDITION_RELOAD), 0);
	CHECK_INT(read_seed(one, "b"), 2);
	CHECK_INT(read_seed(one, "c"), 3);
	reftable_stack_destroy(two);
	close_stack(one);
}

static void locked(void)
{
	struct options options = { .write.lock_timeout_ms = 30 };
	struct reftable_stack *stack = open_stack(NULL), *patient = open_stack(&options);
	char *before, *after;

	CHECK_INT(add_ref(stack, "a", 1), 0);
	CHECK_INT(add_ref(stack, "b", 1), 0);
	CHECK_INT(reftable_stack_reload(patient), 0);
	directory_write(directory, "tables.list.lock", "", 0);
	before = directory_snapshot(directory);
	CHECK_INT(add_ref(stack, "c", 2), REFTABLE_LOCK_ERROR);
	CHECK_INT(reftable_stack_clean(stack), REFTABLE_LOCK_ERROR);
	CHECK_INT(add_ref(patient, "c", 2), REFTABLE_LOCK_ERROR);
	after = directory_snapshot(directory);
	CHECK_STR(after, before);
	free(after);
	/* Readers ignore the lock. */
	CHECK_INT(read_seed(stack, "a"), 1);
	CHECK_INT(reftable_stack_reload(stack), 0);
	free(before);
	reftable_stack_destroy(patient);
	close_stack(stack);
}

static void lock_that_is_released_in_time(long timeout_ms)
{
	struct options options = { .write.lock_timeout_ms = timeout_ms };
	struct reftable_stack *stack = open_stack(&options);
	char *lock = directory_path(directory, "tables.list.lock");
	pid_t pid;

	directory_write(directory, "tables.list.lock", "", 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		usleep(50000);
		execlp("rm", "rm", lock, (char *)NULL);
		_exit(1);
	}
	CHECK_INT(add_ref(stack, "a", 5), 0);
	CHECK_INT(read_seed(stack, "a"), 5);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	free(lock);
	close_stack(stack);
}

static void waits_for_the_lock(void)
{
	lock_that_is_released_in_time(30000);
}

static void waits_for_the_lock_without_end(void)
{
	lock_that_is_released_in_time(-1);
}

static int mode_of(const char *name)
{
	char *path = directory_path(directory, name);
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	free(path);
	return (int)(st.st_mode & 07777);
}

static void permissions(void)
{
	struct options options = { .write.default_permissions = 0664 };
	struct reftable_stack *stack = open_stack(&options);
	char *list;

	umask(077);
	CHECK_INT(add_ref(stack, "a", 1), 0);
	list = directory_read(directory, "tables.list", NULL);
	list[strcspn(list, "\n")] = 0;
	CHECK_INT(mode_of("tables.list"), 0664);
	CHECK_INT(mode_of(list), 0664);
	free(list);
	CHECK_INT(add_ref(stack, "b", 1), 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	list = directory_read(directory, "tables.list", NULL);
	list[strcspn(list, "\n")] = 0;
	CHECK_INT(mode_of("tables.list"), 0664);
	CHECK_INT(mode_of(list), 0664);
	free(list);
	close_stack(stack);
}

static void reloaded(void *payload)
{
	++*(int *)payload;
}

static void on_reload(void)
{
	int count = 0, before;
	struct options options = { .on_reload = reloaded, .on_reload_payload = &count };
	struct reftable_stack *stack = open_stack(&options), *other;

	CHECK_INT(count, 1);
	CHECK_INT(reftable_stack_reload(stack), 0);
	CHECK_INT(add_ref(stack, "a", 1), 0);
	CHECK_INT(add_ref(stack, "b", 1), 0);
	CHECK(count > 2);
	before = count;
	CHECK_INT(reftable_stack_reload(stack), 0);
	CHECK_INT(count, before);

	other = open_stack(NULL);
	CHECK_INT(add_ref(other, "c", 1), 0);
	CHECK_INT(count, before);
	CHECK_INT(reftable_stack_reload(stack), 0);
	CHECK_INT(count, before + 1);
	reftable_stack_destroy(other);
	close_stack(stack);
}

static void hash_of_the_options(void)
{
	struct options options = { .hash_id = REFTABLE_HASH_SHA256 };
	struct reftable_stack *stack = open_stack(&options);
	struct reftable_ref_record ref = { 0 }, want = make_val1("a", 1, 9);

	CHECK_INT(reftable_stack_hash_id(stack), REFTABLE_HASH_SHA256);
	CHECK_INT(add_ref(stack, "a", 9), 0);
	CHECK_INT(reftable_stack_read_ref(stack, "a", &ref), 0);
	CHECK(reftable_ref_record_equal(&ref, &want, 32));
	reftable_ref_record_release(&ref);
	close_stack(stack);
}

int main(void)
{
	RUN(new_stack);
	RUN(missing_directory);
	RUN(damaged_directories);
	RUN(list_that_is_no_file);
	RUN(read_refs);
	RUN(read_logs);
	RUN(iterators);
	RUN(iterators_outlive_the_stack);
	RUN(reload);
	RUN(failed_reload);
	RUN(out_of_date);
	RUN(locked);
	RUN(waits_for_the_lock);
	RUN(waits_for_the_lock_without_end);
	RUN(permissions);
	RUN(on_reload);
	RUN(hash_of_the_options);
	return DONE();
}
