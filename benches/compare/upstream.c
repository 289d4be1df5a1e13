/*
 * The tasks of the program compare with git's C library: `upstream TASK REPETITIONS LOOKUPS
 * REFS DIR` prints the nanoseconds of one repetition. Each opens the stack in DIR. Fails
 * with a message if the library fails.
 */
#include "git-compat-util.h"
#include "reftable/reftable-basics.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-iterator.h"
#include "reftable/reftable-record.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-writer.h"

#define UPDATED "refs/heads/updated"

static size_t lookups, refs;

static void must(int err, const char *what)
{
	if (err < 0) {
		fprintf(stderr, "%s: %s\n", what, reftable_error_str(err));
		exit(1);
	}
}

static void that(int is_true, const char *what)
{
	if (!is_true) {
		fprintf(stderr, "%s: not as expected\n", what);
		exit(1);
	}
}

static void head(struct reftable_stack *stack)
{
	struct reftable_ref_record rec = { 0 };
	char *branch;

	must(reftable_stack_read_ref(stack, "HEAD", &rec), "HEAD");
	that(rec.value_type == REFTABLE_REF_SYMREF, "HEAD");
	branch = strdup(rec.value.symref);
	must(reftable_stack_read_ref(stack, branch, &rec), "branch");
	that(rec.value_type == REFTABLE_REF_VAL1, "branch");
	free(branch);
	reftable_ref_record_release(&rec);
}

static void list(struct reftable_stack *stack)
{
	struct reftable_ref_record rec = { 0 };
	struct reftable_iterator it = { 0 };
	size_t count = 0;
	int err;

	must(reftable_stack_init_ref_iterator(stack, &it), "iterator");
	must(reftable_iterator_seek_ref(&it, "refs/"), "seek");
	while (!(err = reftable_iterator_next_ref(&it, &rec)))
		count++;
	must(err, "next");
	that(count == refs + 1, "list");
	reftable_iterator_destroy(&it);
	reftable_ref_record_release(&rec);
}

/* One iterator serves all, as in git. */
static void look_up(struct reftable_stack *stack)
{
	struct reftable_ref_record rec = { 0 };
	struct reftable_iterator it = { 0 };
	char name[64];
	size_t i;

	must(reftable_stack_init_ref_iterator(stack, &it), "iterator");
	for (i = 0; i < lookups; i++) {
		snprintf(name, sizeof(name), "refs/heads/branch-%07zu", i * 77773 % refs);
		must(reftable_iterator_seek_ref(&it, name), "seek");
		must(reftable_iterator_next_ref(&it, &rec), "next");
		that(!strcmp(rec.refname, name), "look-up");
	}
	reftable_iterator_destroy(&it);
	reftable_ref_record_release(&rec);
}

static void last_log(struct reftable_stack *stack)
{
	struct reftable_log_record rec = { 0 };
	struct reftable_iterator it = { 0 };

	must(reftable_stack_init_log_iterator(stack, &it), "iterator");
	must(reftable_iterator_seek_log(&it, "refs/heads/main"), "seek");
	must(reftable_iterator_next_log(&it, &rec), "next");
	that(!strcmp(rec.refname, "refs/heads/main"), "log");
	reftable_iterator_destroy(&it);
	reftable_log_record_release(&rec);
}

static int write_update(struct reftable_writer *writer, void *arg)
{
	static unsigned char next;
	struct reftable_stack *stack = arg;
	struct reftable_ref_record old = { 0 }, rec = { 0 };
	struct reftable_log_record log = { 0 };
	uint64_t index = reftable_stack_next_update_index(stack);
	char name[] = UPDATED, who[] = "A U Thor", email[] = "author@example.com";
	char message[] = "update";

	must(reftable_stack_read_ref(stack, UPDATED, &old), "old value");
	rec.refname = name;
	rec.update_index = index;
	rec.value_type = REFTABLE_REF_VAL1;
	memset(rec.value.val1, ++next, sizeof(rec.value.val1));
	log.refname = name;
	log.update_index = index;
	log.value_type = REFTABLE_LOG_UPDATE;
	if (old.value_type == REFTABLE_REF_VAL1)
		memcpy(log.value.update.old_hash, old.value.val1, sizeof(old.value.val1));
	memcpy(log.value.update.new_hash, rec.value.val1, sizeof(rec.value.val1));
	log.value.update.name = who;
	log.value.update.email = email;
	log.value.update.time = 1700000000;
	log.value.update.message = message;
	reftable_ref_record_release(&old);
	must(reftable_writer_set_limits(writer, index, index), "limits");
	must(reftable_writer_add_ref(writer, &rec), "ref");
	return reftable_writer_add_log(writer, &log);
}

static void update(struct reftable_stack *stack)
{
	must(reftable_stack_add(stack, write_update, stack, 0), "add");
}

static const struct task {
	const char *name;
	void (*run)(struct reftable_stack *stack);
} tasks[] = {
	{ "head", head },
	{ "list", list },
	{ "look-up", look_up },
	{ "last-log", last_log },
	{ "update", update },
};

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv)
{
	struct reftable_write_options options = { .hash_id = REFTABLE_HASH_SHA1 };
	size_t i, repetition, repetitions;
	uint64_t start;

	if (argc != 6) {
		fprintf(stderr, "usage: upstream TASK REPETITIONS LOOKUPS REFS DIR\n");
		return 2;
	}
	repetitions = strtoul(argv[2], NULL, 10);
	lookups = strtoul(argv[3], NULL, 10);
	refs = strtoul(argv[4], NULL, 10);
	for (i = 0; i < sizeof(tasks) / sizeof(*tasks); i++)
		if (!strcmp(tasks[i].name, argv[1]))
			break;
	that(i < sizeof(tasks) / sizeof(*tasks), argv[1]);
	start = nanoseconds();
	for (repetition = 0; repetition < repetitions; repetition++) {
		struct reftable_stack *stack;

		must(reftable_new_stack(&stack, argv[5], &options), "open");
		tasks[i].run(stack);
		reftable_stack_destroy(stack);
	}
	printf("%llu\n", (unsigned long long)((nanoseconds() - start) / repetitions));
	return 0;
}
