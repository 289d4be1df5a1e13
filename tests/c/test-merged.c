/* reftable-merged.h, reftable-iterator.h: the view of several tables, seeking. */
#include "check.h"
#include "support.h"

#include "reftable/reftable-merged.h"

static struct buffer buffers[3];
static struct reftable_table *tables[3];

/*
 * Three tables: the first has a to d, the second replaces b and deletes c, the third adds e.
 * Likewise their logs: a@1 b@1 c@1, then b@2 and the deletion of c@1, then e@3.
 */
static struct reftable_merged_table *new_merged(void)
{
	struct reftable_ref_record first[] = {
		make_val1("a", 1, 1), make_val1("b", 1, 1), make_val1("c", 1, 1),
		make_symref("d", 1, "a")
	};
	struct reftable_ref_record second[] = { make_val2("b", 2, 2), make_deletion("c", 2) };
	struct reftable_ref_record third[] = { make_val1("e", 3, 3) };
	struct reftable_log_record first_logs[] = {
		make_log("a", 1, "m"), make_log("b", 1, "m"), make_log("c", 1, "m")
	};
	struct reftable_log_record second_logs[] = { make_log("b", 2, "m"), make_log_deletion("c", 1) };
	struct reftable_log_record third_logs[] = { make_log("e", 3, "m") };
	struct reftable_merged_table *merged = NULL;

	buffer_table(&buffers[0], NULL, first, 4, first_logs, 3);
	buffer_table(&buffers[1], NULL, second, 2, second_logs, 2);
	buffer_table(&buffers[2], NULL, third, 1, third_logs, 1);
	for (int i = 0; i < 3; i++)
		tables[i] = buffer_open(&buffers[i], "table");
	CHECK_INT(reftable_merged_table_new(&merged, tables, 3, REFTABLE_HASH_SHA1), 0);
	return merged;
}

static void free_tables(void)
{
	for (int i = 0; i < 3; i++) {
		reftable_table_decref(tables[i]);
		CHECK_INT(buffers[i].lent, 0);
		CHECK_INT(buffers[i].closes, 1);
		buffer_release(&buffers[i]);
	}
}

/* "a@1 b@2 ..." from the position of the iterator; a tombstone is "-c@2". */
static const char *rest_of_refs(struct reftable_iterator *it)
{
	struct reftable_ref_record ref = { 0 };
	static char text[1000];
	size_t len = 0;
	int err;

	text[0] = 0;
	while (!(err = reftable_iterator_next_ref(it, &ref)))
		len += (size_t)sprintf(text + len, "%s%s%s@%d", len ? " " : "",
				       reftable_ref_record_is_deletion(&ref) ? "-" : "", ref.refname,
				       (int)ref.update_index);
	CHECK_INT(err, 1);
	CHECK_INT(reftable_iterator_next_ref(it, &ref), 1);
	reftable_ref_record_release(&ref);
	return text;
}

static const char *rest_of_logs(struct reftable_iterator *it)
{
	struct reftable_log_record log = { 0 };
	static char text[1000];
	size_t len = 0;
	int err;

	text[0] = 0;
	while (!(err = reftable_iterator_next_log(it, &log)))
		len += (size_t)sprintf(text + len, "%s%s%s@%d", len ? " " : "",
				       reftable_log_record_is_deletion(&log) ? "-" : "", log.refname,
				       (int)log.update_index);
	CHECK_INT(err, 1);
	CHECK_INT(reftable_iterator_next_log(it, &log), 1);
	reftable_log_record_release(&log);
	return text;
}

static void members(void)
{
	struct reftable_merged_table *merged = new_merged();

	CHECK_INT(reftable_merged_table_min_update_index(merged), 1);
	CHECK_INT(reftable_merged_table_max_update_index(merged), 3);
	CHECK_INT(reftable_merged_table_hash_id(merged), REFTABLE_HASH_SHA1);
	/* The caller keeps the tables. */
	CHECK_INT(tables[0]->refcount, 1);
	reftable_merged_table_free(merged);
	CHECK_INT(tables[0]->refcount, 1);
	free_tables();
	reftable_merged_table_free(NULL);
}

static void no_tables(void)
{
	struct reftable_merged_table *merged = NULL;
	struct reftable_iterator it = { 0 };

	CHECK_INT(reftable_merged_table_new(&merged, NULL, 0, REFTABLE_HASH_SHA256), 0);
	CHECK_INT(reftable_merged_table_min_update_index(merged), 0);
	CHECK_INT(reftable_merged_table_max_update_index(merged), 0);
	CHECK_INT(reftable_merged_table_hash_id(merged), REFTABLE_HASH_SHA256);
	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, "a"), 0);
	CHECK_STR(rest_of_refs(&it), "");
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_merged_table_init_log_iterator(merged, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, "a"), 0);
	CHECK_STR(rest_of_logs(&it), "");
	reftable_iterator_destroy(&it);
	reftable_merged_table_free(merged);
}

static void tables_of_another_hash(void)
{
	struct reftable_merged_table *merged = new_merged(), *other = NULL;

	CHECK_INT(reftable_merged_table_new(&other, tables, 3, REFTABLE_HASH_SHA256),
		  REFTABLE_FORMAT_ERROR);
	CHECK(other == NULL);
	reftable_merged_table_free(merged);
	free_tables();
}

static void refs(void)
{
	struct reftable_merged_table *merged = new_merged();
	struct reftable_iterator it = { 0 };

	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, &it), 0);
	/* Before the first seek there is nothing. */
	CHECK_STR(rest_of_refs(&it), "");
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	/* Tombstones are visible here; only a stack hides them. */
	CHECK_STR(rest_of_refs(&it), "a@1 b@2 -c@2 d@1 e@3");
	CHECK_INT(reftable_iterator_seek_ref(&it, "b"), 0);
	CHECK_STR(rest_of_refs(&it), "b@2 -c@2 d@1 e@3");
	CHECK_INT(reftable_iterator_seek_ref(&it, "cc"), 0);
	CHECK_STR(rest_of_refs(&it), "d@1 e@3");
	CHECK_INT(reftable_iterator_seek_ref(&it, "f"), 0);
	CHECK_STR(rest_of_refs(&it), "");
	CHECK_INT(reftable_iterator_seek_ref(&it, "a"), 0);
	CHECK_STR(rest_of_refs(&it), "a@1 b@2 -c@2 d@1 e@3");
	reftable_iterator_destroy(&it);
	reftable_merged_table_free(merged);
	free_tables();
}

static void logs(void)
{
	struct reftable_merged_table *merged = new_merged();
	struct reftable_iterator it = { 0 };

	CHECK_INT(reftable_merged_table_init_log_iterator(merged, &it), 0);
	CHECK_STR(rest_of_logs(&it), "");
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	CHECK_STR(rest_of_logs(&it), "a@1 b@2 b@1 -c@1 e@3");
	CHECK_INT(reftable_iterator_seek_log(&it, "b"), 0);
	CHECK_STR(rest_of_logs(&it), "b@2 b@1 -c@1 e@3");
	CHECK_INT(reftable_iterator_seek_log_at(&it, "b", 2), 0);
	CHECK_STR(rest_of_logs(&it), "b@2 b@1 -c@1 e@3");
	CHECK_INT(reftable_iterator_seek_log_at(&it, "b", 1), 0);
	CHECK_STR(rest_of_logs(&it), "b@1 -c@1 e@3");
	CHECK_INT(reftable_iterator_seek_log_at(&it, "b", 0), 0);
	CHECK_STR(rest_of_logs(&it), "-c@1 e@3");
	CHECK_INT(reftable_iterator_seek_log_at(&it, "b", UINT64_MAX), 0);
	CHECK_STR(rest_of_logs(&it), "b@2 b@1 -c@1 e@3");
	reftable_iterator_destroy(&it);
	reftable_merged_table_free(merged);
	free_tables();
}

/* A seek in the middle of a walk starts again. */
static void seek_while_walking(void)
{
	struct reftable_merged_table *merged = new_merged();
	struct reftable_iterator it = { 0 };
	struct reftable_ref_record ref = { 0 };

	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, &it), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(reftable_iterator_seek_ref(&it, "a"), 0);
		CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
		CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
		CHECK_STR(ref.refname, "b");
		CHECK_INT(ref.value_type, REFTABLE_REF_VAL2);
	}
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	reftable_merged_table_free(merged);
	free_tables();
}

static void iterators_outlive_the_view(void)
{
	struct reftable_merged_table *merged;
	struct reftable_iterator it = { 0 };

	allocator_install();
	merged = new_merged();
	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, &it), 0);
	CHECK_INT(tables[2]->refcount, 2);
	CHECK_INT(reftable_iterator_seek_ref(&it, "c"), 0);
	reftable_merged_table_free(merged);
	for (int i = 0; i < 3; i++) {
		reftable_table_decref(tables[i]);
		CHECK_INT(buffers[i].closes, 0);
	}
	CHECK_STR(rest_of_refs(&it), "-c@2 d@1 e@3");
	reftable_iterator_destroy(&it);
	CHECK_INT(allocator_live(), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(buffers[i].closes, 1);
		tables[i] = NULL;
	}
	free_tables();
}

static void destroyed_twice(void)
{
	struct reftable_merged_table *merged = new_merged();
	struct reftable_iterator it = { 0 };

	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, &it), 0);
	reftable_iterator_destroy(&it);
	CHECK(it.ops == NULL);
	CHECK(it.iter_arg == NULL);
	reftable_iterator_destroy(&it);
	/* And used again. */
	CHECK_INT(reftable_merged_table_init_log_iterator(merged, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, "e"), 0);
	CHECK_STR(rest_of_logs(&it), "e@3");
	reftable_iterator_destroy(&it);
	reftable_merged_table_free(merged);
	free_tables();
}

static void wrong_type_of_record(void)
{
	struct reftable_merged_table *merged = new_merged();
	struct reftable_log_record log = { 0 };
	struct reftable_ref_record ref = { 0 };
	struct reftable_iterator it = { 0 };

	CHECK_INT(reftable_table_init_ref_iterator(tables[0], &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &log), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "a");
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_table_init_log_iterator(tables[0], &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
#ifndef REFTABLE_UPSTREAM
	/* Upstream seeks in the other section, and returns a ref instead of a log. */
	CHECK_INT(reftable_table_init_ref_iterator(tables[0], &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_seek_log_at(&it, "", 1), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &log), REFTABLE_API_ERROR);
	CHECK_STR(rest_of_refs(&it), "a@1 b@2 -c@2 d@1 e@3");
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_merged_table_init_log_iterator(merged, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), REFTABLE_API_ERROR);
	CHECK_STR(rest_of_logs(&it), "a@1 b@2 b@1 -c@1 e@3");
	reftable_iterator_destroy(&it);
#endif
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	reftable_merged_table_free(merged);
	free_tables();
}

static void table_iterators_must_be_positioned(void)
{
	struct reftable_merged_table *merged = new_merged();
	struct reftable_log_record log = { 0 };
	struct reftable_ref_record ref = { 0 };
	struct reftable_iterator it = { 0 };

	CHECK_INT(reftable_table_init_ref_iterator(tables[0], &it), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_table_init_log_iterator(tables[0], &it), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &log), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	reftable_merged_table_free(merged);
	free_tables();
}

int main(void)
{
	RUN(members);
	RUN(no_tables);
	RUN(tables_of_another_hash);
	RUN(refs);
	RUN(logs);
	RUN(seek_while_walking);
	RUN(iterators_outlive_the_view);
	RUN(destroyed_twice);
	RUN(wrong_type_of_record);
	RUN(table_iterators_must_be_positioned);
	return DONE();
}
