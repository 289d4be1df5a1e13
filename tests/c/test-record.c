/* reftable-record.h: values, equality, release. */
#include "check.h"
#include "support.h"

static void values_of_refs(void)
{
	struct reftable_ref_record deletion = make_deletion("a", 1);
	struct reftable_ref_record val1 = make_val1("a", 1, 7);
	struct reftable_ref_record val2 = make_val2("a", 1, 7);
	struct reftable_ref_record symref = make_symref("a", 1, "b");

	CHECK(reftable_ref_record_val1(&deletion) == NULL);
	CHECK(reftable_ref_record_val1(&val1) == val1.value.val1);
	CHECK(reftable_ref_record_val1(&val2) == val2.value.val2.value);
	CHECK(reftable_ref_record_val1(&symref) == NULL);
	CHECK(reftable_ref_record_val2(&deletion) == NULL);
	CHECK(reftable_ref_record_val2(&val1) == NULL);
	CHECK(reftable_ref_record_val2(&val2) == val2.value.val2.target_value);
	CHECK(reftable_ref_record_val2(&symref) == NULL);
}

static void deletions(void)
{
	struct reftable_ref_record deletion = make_deletion("a", 1), val1 = make_val1("a", 1, 7);
	struct reftable_ref_record val2 = make_val2("a", 1, 7), symref = make_symref("a", 1, "b");
	struct reftable_log_record log = make_log("a", 1, "m"), gone = make_log_deletion("a", 1);

	CHECK_INT(reftable_ref_record_is_deletion(&deletion), 1);
	CHECK_INT(reftable_ref_record_is_deletion(&val1), 0);
	CHECK_INT(reftable_ref_record_is_deletion(&val2), 0);
	CHECK_INT(reftable_ref_record_is_deletion(&symref), 0);
	CHECK_INT(reftable_log_record_is_deletion(&log), 0);
	CHECK_INT(reftable_log_record_is_deletion(&gone), 1);
}

static void equal_refs(void)
{
	struct reftable_ref_record all[] = {
		make_deletion("a", 1), make_deletion("a", 2), make_deletion("b", 1),
		make_val1("a", 1, 1), make_val1("a", 1, 2), make_val2("a", 1, 1),
		make_val2("a", 1, 2), make_symref("a", 1, "x"), make_symref("a", 1, "y"),
	};
	size_t count = sizeof(all) / sizeof(*all), i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < count; j++)
			CHECK_INT(!!reftable_ref_record_equal(&all[i], &all[j], 20), i == j);
}

static void equality_looks_at_the_hash_size(void)
{
	struct reftable_ref_record a = make_val1("a", 1, 1), b = a;
	struct reftable_ref_record c = make_val2("a", 1, 1), d = c;
	struct reftable_log_record e = make_log("a", 1, "m"), f = e, g = e;

	b.value.val1[20] ^= 1;
	CHECK(reftable_ref_record_equal(&a, &b, 20));
	CHECK(!reftable_ref_record_equal(&a, &b, 32));
	d.value.val2.target_value[31] ^= 1;
	CHECK(reftable_ref_record_equal(&c, &d, 20));
	CHECK(!reftable_ref_record_equal(&c, &d, 32));
	f.value.update.old_hash[31] ^= 1;
	CHECK(reftable_log_record_equal(&e, &f, 20));
	CHECK(!reftable_log_record_equal(&e, &f, 32));
	g.value.update.new_hash[20] ^= 1;
	CHECK(reftable_log_record_equal(&e, &g, 20));
	CHECK(!reftable_log_record_equal(&e, &g, 32));
}

/* The capacities are not compared. */
static void equality_ignores_capacities(void)
{
	struct reftable_ref_record a = make_val1("a", 1, 1), b = a;
	struct reftable_log_record c = make_log("a", 1, "m"), d = c;

	b.refname_cap = 100;
	CHECK(reftable_ref_record_equal(&a, &b, 20));
	d.refname_cap = 100;
	d.value.update.message_cap = 100;
	CHECK(reftable_log_record_equal(&c, &d, 20));
}

static void equal_logs(void)
{
	struct reftable_log_record a = make_log("a", 1, "m"), b = a;

	CHECK(reftable_log_record_equal(&a, &b, 20));
#define DIFFERS(change)                                            \
	do {                                                       \
		b = a;                                             \
		change;                                            \
		CHECK(!reftable_log_record_equal(&a, &b, 20));     \
		CHECK(!reftable_log_record_equal(&b, &a, 20));     \
	} while (0)
	DIFFERS(b.refname = (char *)"b");
	DIFFERS(b.update_index++);
	DIFFERS(b = make_log_deletion("a", 1));
	DIFFERS(b.value.update.old_hash[19] ^= 1);
	DIFFERS(b.value.update.new_hash[0] ^= 1);
	DIFFERS(b.value.update.name = (char *)"other");
	DIFFERS(b.value.update.email = (char *)"other");
	DIFFERS(b.value.update.time++);
	DIFFERS(b.value.update.tz_offset++);
	DIFFERS(b.value.update.message = (char *)"other");
#undef DIFFERS
	a = make_log_deletion("a", 1);
	b = make_log_deletion("a", 1);
	CHECK(reftable_log_record_equal(&a, &b, 20));
}

static void a_missing_string_is_an_empty_one(void)
{
	struct reftable_ref_record a = make_val1("", 1, 1), b = make_val1(NULL, 1, 1);
	struct reftable_log_record c = make_log("", 1, ""), d = make_log(NULL, 1, NULL);

	CHECK(reftable_ref_record_equal(&a, &b, 20));
	CHECK(reftable_ref_record_equal(&b, &b, 20));
	a.refname = (char *)"a";
	CHECK(!reftable_ref_record_equal(&a, &b, 20));
	c.value.update.name = NULL;
	d.value.update.name = (char *)"";
	c.value.update.email = (char *)"";
	d.value.update.email = NULL;
	CHECK(reftable_log_record_equal(&c, &d, 20));
}

static int is_zero(const void *memory, size_t len)
{
	const unsigned char *byte = memory;

	while (len && !*byte) {
		byte++;
		len--;
	}
	return !len;
}

static void release_of_refs(void)
{
	struct reftable_ref_record ref = { 0 };

	allocator_install();
	reftable_ref_record_release(&ref);
	ref = make_val1(allocator_strdup("a"), 1, 1);
	reftable_ref_record_release(&ref);
	CHECK(is_zero(&ref, sizeof(ref)));
	ref = make_val2(allocator_strdup("a"), 1, 1);
	reftable_ref_record_release(&ref);
	CHECK(is_zero(&ref, sizeof(ref)));
	ref = make_symref(allocator_strdup("a"), 1, allocator_strdup("b"));
	CHECK_INT(allocator_live(), 2);
	reftable_ref_record_release(&ref);
	CHECK(is_zero(&ref, sizeof(ref)));
	ref = make_symref(NULL, 1, NULL);
	reftable_ref_record_release(&ref);
	reftable_ref_record_release(&ref);
	CHECK(is_zero(&ref, sizeof(ref)));
	CHECK_INT(allocator_live(), 0);
}

static void release_of_logs(void)
{
	struct reftable_log_record log = { 0 };

	allocator_install();
	reftable_log_record_release(&log);
	log = make_log_deletion(allocator_strdup("a"), 1);
	reftable_log_record_release(&log);
	CHECK(is_zero(&log, sizeof(log)));
	log = make_log(allocator_strdup("a"), 1, allocator_strdup("m"));
	log.value.update.name = allocator_strdup("n");
	log.value.update.email = allocator_strdup("e");
	CHECK_INT(allocator_live(), 4);
	reftable_log_record_release(&log);
	CHECK(is_zero(&log, sizeof(log)));
	log = make_log(NULL, 1, NULL);
	log.value.update.name = log.value.update.email = NULL;
	reftable_log_record_release(&log);
	reftable_log_record_release(&log);
	CHECK(is_zero(&log, sizeof(log)));
	CHECK_INT(allocator_live(), 0);
}

#ifndef REFTABLE_UPSTREAM
/* Upstream aborts. */
static void unknown_value_types(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1), other;
	struct reftable_log_record log = make_log("a", 1, "m"), other_log;

	ref.value_type = REFTABLE_NR_REF_VALUETYPES;
	other = ref;
	CHECK(reftable_ref_record_val1(&ref) == NULL);
	CHECK(reftable_ref_record_val2(&ref) == NULL);
	CHECK_INT(reftable_ref_record_is_deletion(&ref), 0);
	CHECK_INT(reftable_ref_record_equal(&ref, &other, 20), 0);
	log.value_type = REFTABLE_NR_LOG_VALUETYPES;
	other_log = log;
	CHECK_INT(reftable_log_record_is_deletion(&log), 0);
	CHECK_INT(reftable_log_record_equal(&log, &other_log, 20), 0);

	/* Releasing works for any type. */
	allocator_install();
	ref.refname = allocator_strdup("a");
	reftable_ref_record_release(&ref);
	CHECK(is_zero(&ref, sizeof(ref)));
	log.refname = allocator_strdup("a");
	reftable_log_record_release(&log);
	CHECK(is_zero(&log, sizeof(log)));
	CHECK_INT(allocator_live(), 0);
}

/* Upstream follows them. */
static void null_pointers(void)
{
	struct reftable_ref_record ref = make_symref("a", 1, NULL);
	struct reftable_log_record log = make_log("a", 1, "m");

	CHECK(reftable_ref_record_val1(NULL) == NULL);
	CHECK(reftable_ref_record_val2(NULL) == NULL);
	CHECK_INT(reftable_ref_record_is_deletion(NULL), 0);
	CHECK_INT(reftable_log_record_is_deletion(NULL), 0);
	reftable_ref_record_release(NULL);
	reftable_log_record_release(NULL);
	CHECK_INT(reftable_ref_record_equal(&ref, NULL, 20), 0);
	CHECK_INT(reftable_ref_record_equal(NULL, &ref, 20), 0);
	CHECK_INT(reftable_log_record_equal(&log, NULL, 20), 0);
	CHECK_INT(reftable_log_record_equal(NULL, &log, 20), 0);
	/* A symref without a target. */
	(void)reftable_ref_record_equal(&ref, &ref, 20);
}

/* Upstream compares memory beyond the arrays. */
static void hash_sizes_too_large(void)
{
	struct reftable_ref_record a = make_val1("a", 1, 1), b = a;
	struct reftable_log_record c = make_log("a", 1, "m"), d = c;

	CHECK(reftable_ref_record_equal(&a, &b, UINT32_MAX));
	CHECK(reftable_log_record_equal(&c, &d, UINT32_MAX));
	b.value.val1[31] ^= 1;
	CHECK(!reftable_ref_record_equal(&a, &b, UINT32_MAX));
}
#endif

int main(void)
{
	RUN(values_of_refs);
	RUN(deletions);
	RUN(equal_refs);
	RUN(equality_looks_at_the_hash_size);
	RUN(equality_ignores_capacities);
	RUN(equal_logs);
	RUN(a_missing_string_is_an_empty_one);
	RUN(release_of_refs);
	RUN(release_of_logs);
#ifndef REFTABLE_UPSTREAM
	RUN(unknown_value_types);
	RUN(null_pointers);
	RUN(hash_sizes_too_large);
#endif
	return DONE();
}
