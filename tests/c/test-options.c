/* What git 2.56 has added: options of a stack, and options for each change of it. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "support.h"

static char *directory;

static struct reftable_stack *open_directory(const struct reftable_stack_options *options)
{
	struct reftable_stack *stack = NULL;

	if (!directory)
		directory = directory_new();
	CHECK_INT(reftable_new_stack(&stack, directory, options), 0);
	return stack;
}

static void close_both(struct reftable_stack *one, struct reftable_stack *two)
{
	reftable_stack_destroy(one);
	reftable_stack_destroy(two);
	directory_remove(directory);
}

static int tables(void)
{
	return directory_count(directory, ".ref");
}

/* Deletes a ref, and the entry of its log at `entry`. */
static void delete_ref(struct reftable_stack *stack, const char *name, uint64_t entry)
{
	const struct reftable_write_options keep = { .disable_auto_compact = 1 };
	uint64_t index = reftable_stack_next_update_index(stack);
	struct reftable_ref_record ref = make_deletion(name, index);
	struct reftable_log_record log = make_log_deletion(name, entry);
	struct batch batch = {
		.min = index, .max = index, .refs = &ref, .ref_count = 1, .logs = &log, .log_count = 1
	};

	CHECK_INT(reftable_stack_add(stack, write_batch, &batch, &keep, 0), 0);
}

/* The names that an iterator returns, each followed by - for a deletion or +. */
static const char *refs_of(struct reftable_stack *stack)
{
	static char text[200];
	struct reftable_iterator it = { 0 };
	struct reftable_ref_record ref = { 0 };

	text[0] = 0;
	CHECK_INT(reftable_stack_init_ref_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	while (!reftable_iterator_next_ref(&it, &ref)) {
		strcat(text, ref.refname);
		strcat(text, reftable_ref_record_is_deletion(&ref) ? "-" : "+");
	}
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	return text;
}

static const char *logs_of(struct reftable_stack *stack)
{
	static char text[200];
	struct reftable_iterator it = { 0 };
	struct reftable_log_record log = { 0 };

	text[0] = 0;
	CHECK_INT(reftable_stack_init_log_iterator(stack, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	while (!reftable_iterator_next_log(&it, &log)) {
		sprintf(text + strlen(text), "%s%d%s", log.refname, (int)log.update_index,
			reftable_log_record_is_deletion(&log) ? "-" : "+");
	}
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	return text;
}

static void deletions(void)
{
	const struct reftable_write_options keep = { .disable_auto_compact = 1 };
	const struct reftable_stack_options hide = { .suppress_deletions = 1 };
	struct reftable_stack *showing = open_directory(NULL), *hiding = open_directory(&hide);
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };

	write_options = &keep;
	CHECK_INT(add_ref(showing, "a", 1), 0);
	CHECK_INT(add_log(showing, "a", "first"), 0);
	CHECK_INT(add_log(showing, "a", "second"), 0);
	CHECK_INT(add_ref(showing, "b", 2), 0);
	delete_ref(showing, "a", 3);
	CHECK_INT(reftable_stack_reload(hiding), 0);
	CHECK_STR(refs_of(showing), "a-b+");
	CHECK_STR(refs_of(hiding), "b+");
	CHECK_STR(logs_of(showing), "a3-a2+");
	CHECK_STR(logs_of(hiding), "a2+");
	/* A lookup does not return a deletion, which hides the older entries of a log. */
	CHECK_INT(reftable_stack_read_ref(showing, "a", &ref), 1);
	CHECK_INT(reftable_stack_read_ref(hiding, "a", &ref), 1);
	CHECK_INT(reftable_stack_read_log(showing, "a", &log), 1);
	CHECK_INT(reftable_stack_read_log(hiding, "a", &log), 0);
	CHECK_INT(log.update_index, 2);
	reftable_log_record_release(&log);
	reftable_ref_record_release(&ref);

	/* A compaction of all tables drops them. */
	CHECK_INT(reftable_stack_compact_all(showing, NULL, NULL), 0);
	CHECK_STR(refs_of(showing), "b+");
	CHECK_STR(logs_of(showing), "a2+");
	close_both(showing, hiding);
}

static void null_means_the_defaults(void)
{
	struct reftable_stack *stack = open_directory(NULL);
	struct reftable_addition *addition = NULL;
	bool required = true;

	CHECK_INT(reftable_stack_hash_id(stack), REFTABLE_HASH_SHA1);
	CHECK_INT(add_ref(stack, "a", 1), 0);
	CHECK_INT(add_ref(stack, "b", 1), 0);
	CHECK_INT(tables(), 1);
	CHECK_INT(reftable_stack_compaction_required(stack, NULL, true, &required), 0);
	CHECK(!required);
	CHECK_INT(reftable_stack_auto_compact(stack, NULL), 0);
	CHECK_INT(reftable_stack_compact_all(stack, NULL, NULL), 0);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, NULL, 0), 0);
	/* It does not wait. */
	CHECK_INT(add_ref(stack, "c", 1), REFTABLE_LOCK_ERROR);
	CHECK_INT(reftable_stack_clean(stack), REFTABLE_LOCK_ERROR);
	reftable_addition_destroy(addition);
	CHECK_INT(reftable_stack_clean(stack), 0);
	close_both(stack, NULL);
}

static int mode_of(const char *name)
{
	char *path = directory_path(directory, name);
	struct stat st;
	int mode = stat(path, &st) ? -1 : (int)(st.st_mode & 0777);

	free(path);
	return mode;
}

static int newest_mode(void)
{
	char *list = directory_read(directory, "tables.list", NULL), *newest;
	int mode;

	list[strlen(list) - 1] = 0;
	newest = strrchr(list, '\n');
	mode = mode_of(newest ? newest + 1 : list);
	free(list);
	return mode;
}

static void each_change_has_its_own(void)
{
	struct reftable_write_options private = { .default_permissions = 0600, .disable_auto_compact = 1 };
	const struct reftable_write_options shared = { .default_permissions = 0664 };
	const struct reftable_write_options even = { .auto_compaction_factor = 1 };
	struct reftable_stack *stack = open_directory(NULL);
	struct reftable_addition *addition = NULL;
	struct reftable_ref_record ref = make_val1("c", 3, 3);
	struct batch batch = { .min = 3, .max = 3, .refs = &ref, .ref_count = 1 };
	bool required = false;

	write_options = &private;
	CHECK_INT(add_ref(stack, "a", 1), 0);
	CHECK_INT(newest_mode(), 0600);
	CHECK_INT(mode_of("tables.list"), 0600);
	CHECK_INT(add_ref(stack, "b", 1), 0);
	CHECK_INT(tables(), 2);
	/* An addition copies its options, also for the compaction after it. */
	CHECK_INT(reftable_stack_new_addition(&addition, stack, &private, 0), 0);
	memset(&private, 0, sizeof(private));
	CHECK_INT(reftable_addition_add(addition, write_batch, &batch), 0);
	CHECK_INT(reftable_addition_commit(addition), 0);
	reftable_addition_destroy(addition);
	CHECK_INT(tables(), 3);
	CHECK_INT(newest_mode(), 0600);
	CHECK_INT(reftable_stack_compaction_required(stack, NULL, true, &required), 0);
	CHECK(required);
	CHECK_INT(reftable_stack_compaction_required(stack, &even, true, &required), 0);
	CHECK(!required);
	CHECK_INT(reftable_stack_auto_compact(stack, &even), 0);
	CHECK_INT(tables(), 3);
	CHECK_INT(reftable_stack_compact_all(stack, &shared, NULL), 0);
	CHECK_INT(tables(), 1);
	CHECK_INT(newest_mode(), 0664);
	CHECK_INT(mode_of("tables.list"), 0664);
	close_both(stack, NULL);
}

static void hash_is_that_of_the_stack(void)
{
	const struct reftable_stack_options options = { .hash_id = REFTABLE_HASH_SHA256 };
	struct reftable_stack *stack = open_directory(&options);

	CHECK_INT(add_ref(stack, "a", 7), 0);
	CHECK_INT(reftable_stack_hash_id(stack), REFTABLE_HASH_SHA256);
	CHECK_INT(read_seed(stack, "a"), 7);
	close_both(stack, NULL);
}

int main(void)
{
	RUN(deletions);
	RUN(null_means_the_defaults);
	RUN(each_change_has_its_own);
	RUN(hash_is_that_of_the_stack);
	return DONE();
}
