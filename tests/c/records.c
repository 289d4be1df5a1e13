/* Records, and small transactions. */
#include "support.h"

void make_id(unsigned char *id, unsigned seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	int i;

	for (i = 0; i < REFTABLE_HASH_SIZE_MAX; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		id[i] = (unsigned char)(state >> 56);
	}
	/* The first byte identifies the seed, for read_seed(). */
	id[0] = (unsigned char)seed;
}

struct reftable_ref_record make_deletion(const char *name, uint64_t update_index)
{
	struct reftable_ref_record ref = {
		.refname = (char *)name,
		.update_index = update_index,
		.value_type = REFTABLE_REF_DELETION,
	};

	return ref;
}

struct reftable_ref_record make_val1(const char *name, uint64_t update_index, unsigned seed)
{
	struct reftable_ref_record ref = make_deletion(name, update_index);

	ref.value_type = REFTABLE_REF_VAL1;
	make_id(ref.value.val1, seed);
	return ref;
}

struct reftable_ref_record make_val2(const char *name, uint64_t update_index, unsigned seed)
{
	struct reftable_ref_record ref = make_deletion(name, update_index);

	ref.value_type = REFTABLE_REF_VAL2;
	make_id(ref.value.val2.value, seed);
	make_id(ref.value.val2.target_value, seed + 1);
	return ref;
}

struct reftable_ref_record make_symref(const char *name, uint64_t update_index, const char *to)
{
	struct reftable_ref_record ref = make_deletion(name, update_index);

	ref.value_type = REFTABLE_REF_SYMREF;
	ref.value.symref = (char *)to;
	return ref;
}

struct reftable_log_record make_log_deletion(const char *name, uint64_t update_index)
{
	struct reftable_log_record log = {
		.refname = (char *)name,
		.update_index = update_index,
		.value_type = REFTABLE_LOG_DELETION,
	};

	return log;
}

struct reftable_log_record make_log(const char *name, uint64_t update_index, const char *message)
{
	struct reftable_log_record log = make_log_deletion(name, update_index);

	log.value_type = REFTABLE_LOG_UPDATE;
	make_id(log.value.update.old_hash, (unsigned)update_index);
	make_id(log.value.update.new_hash, (unsigned)update_index + 1);
	log.value.update.name = (char *)"A U Thor";
	log.value.update.email = (char *)"author@example.com";
	log.value.update.time = 1700000000 + update_index;
	log.value.update.tz_offset = -90;
	log.value.update.message = (char *)message;
	return log;
}

#define MAX_BRANCHES 10000

const char *branch_name(unsigned number)
{
	static char *names[MAX_BRANCHES];
	static char texts[MAX_BRANCHES][24];

	if (number >= MAX_BRANCHES)
		abort();
	if (!names[number]) {
		names[number] = texts[number];
		snprintf(names[number], sizeof(texts[number]), "refs/heads/branch-%04u", number);
	}
	return names[number];
}

struct reftable_ref_record *make_branches(size_t count, uint64_t update_index)
{
	struct reftable_ref_record *refs = calloc(count, sizeof(*refs));
	unsigned i;

	for (i = 0; refs && i < count; i++) {
		const char *name = branch_name(i);

		switch (i % 8) {
		case 3:
			refs[i] = make_val2(name, update_index, i);
			break;
		case 5:
			refs[i] = make_symref(name, update_index, branch_name(i + 1));
			break;
		case 7:
			refs[i] = make_deletion(name, update_index);
			break;
		default:
			refs[i] = make_val1(name, update_index, i);
			break;
		}
	}
	return refs;
}

struct reftable_log_record *make_branch_logs(size_t count, uint64_t update_index)
{
	struct reftable_log_record *logs = calloc(count, sizeof(*logs));
	unsigned i;

	for (i = 0; logs && i < count; i++)
		logs[i] = i % 8 == 7 ? make_log_deletion(branch_name(i), update_index) :
				       make_log(branch_name(i), update_index, "made\n");
	return logs;
}

int write_batch(struct reftable_writer *writer, void *arg)
{
	struct batch *batch = arg;
	int err = 0;

	if (batch->min || batch->max)
		err = reftable_writer_set_limits(writer, batch->min, batch->max);
	if (!err)
		err = reftable_writer_add_refs(writer, batch->refs, batch->ref_count);
	if (!err)
		err = reftable_writer_add_logs(writer, batch->logs, batch->log_count);
	return err ? err : batch->result;
}

int add_ref(struct reftable_stack *stack, const char *name, unsigned seed)
{
	uint64_t index = reftable_stack_next_update_index(stack);
	struct reftable_ref_record ref = make_val1(name, index, seed);
	struct batch batch = { .min = index, .max = index, .refs = &ref, .ref_count = 1 };

	return reftable_stack_add(stack, write_batch, &batch, write_options, 0);
}

int add_log(struct reftable_stack *stack, const char *name, const char *message)
{
	uint64_t index = reftable_stack_next_update_index(stack);
	struct reftable_log_record log = make_log(name, index, message);
	struct batch batch = { .min = index, .max = index, .logs = &log, .log_count = 1 };

	return reftable_stack_add(stack, write_batch, &batch, write_options, 0);
}

int read_seed(struct reftable_stack *stack, const char *name)
{
	struct reftable_ref_record ref = { 0 };
	int err = reftable_stack_read_ref(stack, name, &ref);
	const unsigned char *id = err ? NULL : reftable_ref_record_val1(&ref);
	int seed = err < 0 ? err : id ? id[0] : 0;

	reftable_ref_record_release(&ref);
	return seed;
}
