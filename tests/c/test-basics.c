/* reftable-basics.h, reftable-error.h: the allocator hooks, the error messages. */
#include "check.h"
#include "support.h"

static void error_texts(void)
{
	CHECK_STR(reftable_error_str(REFTABLE_IO_ERROR), "I/O error");
	CHECK_STR(reftable_error_str(REFTABLE_FORMAT_ERROR), "corrupt reftable file");
	CHECK_STR(reftable_error_str(REFTABLE_NOT_EXIST_ERROR), "file does not exist");
	CHECK_STR(reftable_error_str(REFTABLE_LOCK_ERROR), "data is locked");
	CHECK_STR(reftable_error_str(REFTABLE_API_ERROR), "misuse of the reftable API");
	CHECK_STR(reftable_error_str(REFTABLE_ZLIB_ERROR), "zlib failure");
	CHECK_STR(reftable_error_str(REFTABLE_EMPTY_TABLE_ERROR), "wrote empty table");
	CHECK_STR(reftable_error_str(REFTABLE_REFNAME_ERROR), "invalid refname");
	CHECK_STR(reftable_error_str(REFTABLE_ENTRY_TOO_BIG_ERROR), "entry too large");
	CHECK_STR(reftable_error_str(REFTABLE_OUTDATED_ERROR), "data concurrently modified");
	CHECK_STR(reftable_error_str(REFTABLE_OUT_OF_MEMORY_ERROR), "out of memory");
	CHECK_STR(reftable_error_str(-1), "general error");
}

static void error_texts_of_other_numbers(void)
{
	CHECK_STR(reftable_error_str(0), "unknown error code 0");
	CHECK_STR(reftable_error_str(1), "unknown error code 1");
	CHECK_STR(reftable_error_str(-9), "unknown error code -9");
	CHECK_STR(reftable_error_str(-14), "unknown error code -14");
	CHECK_STR(reftable_error_str(INT32_MAX), "unknown error code 2147483647");
	CHECK_STR(reftable_error_str(INT32_MIN), "unknown error code -2147483648");
}

static void hooks_are_used(void)
{
	struct reftable_ref_record refs[] = { make_symref("HEAD", 1, "refs/heads/main") };
	struct reftable_ref_record got = { 0 };
	struct reftable_iterator it = { 0 };
	struct buffer buffer = { 0 };
	struct reftable_table *table;

	allocator_install();
	buffer_table(&buffer, NULL, refs, 1, NULL, 0);
	CHECK_INT(allocator_live(), 0);
	table = buffer_open(&buffer, "name");
	CHECK(allocator_owns(table->name));
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
	CHECK(allocator_owns(got.refname));
	CHECK(allocator_owns(got.value.symref));
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
	CHECK(allocator_live() > 0);
	reftable_ref_record_release(&got);
	CHECK_INT(allocator_live(), 0);
	buffer_release(&buffer);
}

static void hooks_can_be_taken_back(void)
{
	struct reftable_ref_record refs[] = { make_val1("a", 1, 1) };
	struct buffer buffer = { 0 };
	struct reftable_table *table;
	long calls;

	allocator_install();
	buffer_table(&buffer, NULL, refs, 1, NULL, 0);
	table = buffer_open(&buffer, "name");
	reftable_table_decref(table);
	calls = allocator_calls();
	CHECK(calls > 0);

	reftable_set_alloc(NULL, NULL, NULL);
	table = buffer_open(&buffer, "name");
	/* The library owns the names now. */
	free(table->name);
	table->name = strdup("other");
	reftable_table_decref(table);
	CHECK_INT(allocator_calls(), calls);
	CHECK_INT(allocator_live(), 0);
	buffer_release(&buffer);
}

/* The caller may free or replace what the library hands out. */
static void strings_are_the_callers(void)
{
	struct reftable_ref_record refs[] = {
		make_symref("a", 1, "x"), make_symref("b", 1, "y"), make_symref("c", 1, "z")
	};
	struct reftable_ref_record got = { 0 };
	struct reftable_iterator it = { 0 };
	struct buffer buffer = { 0 };
	struct reftable_table *table;

	allocator_install();
	buffer_table(&buffer, NULL, refs, 3, NULL, 0);
	table = buffer_open(&buffer, "name");
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
	CHECK_STR(got.refname, "a");
	CHECK(got.refname_cap >= 2);

	/* Emptied: the next call brings new strings. */
	reftable_ref_record_release(&got);
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
	CHECK_STR(got.refname, "b");
	CHECK_STR(got.value.symref, "y");

	/* Replaced: the next call frees or reuses what it finds. */
	reftable_ref_record_release(&got);
	got.refname = allocator_strdup("of the caller");
	got.refname_cap = sizeof("of the caller");
	got.value_type = REFTABLE_REF_SYMREF;
	got.value.symref = allocator_strdup("of the caller, too");
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
	CHECK_STR(got.refname, "c");
	CHECK_STR(got.value.symref, "z");
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 1);
	reftable_ref_record_release(&got);
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
	CHECK_INT(allocator_live(), 0);
	buffer_release(&buffer);
}

int main(void)
{
	RUN(error_texts);
	RUN(error_texts_of_other_numbers);
	RUN(hooks_are_used);
	RUN(hooks_can_be_taken_back);
	RUN(strings_are_the_callers);
	return DONE();
}
