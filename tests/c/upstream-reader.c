/*
 * Reads stacks with the C library of a built git tree.
 *
 * usage: upstream-reader NAMES <DIRECTORIES
 *
 * Standard input has the directory of a stack on each line; NAMES has a refname on each line. Reads
 * each stack in the ways of `ways` and writes the results to a file DIRECTORY/out-N, N being the
 * number of the way, with "ok" as the last line if there was no error. Each way runs in its own
 * process for at most a second, because the library may crash on damaged tables.
 */
#include "git-compat-util.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-iterator.h"
#include "reftable/reftable-record.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-writer.h"

static FILE *out;
static char **names;
static size_t names_nr;

static void print_id(const unsigned char *id)
{
	/*
	 * Ids of both hashes are printed with this length, which also distinguishes those of
	 * damaged tables.
	 */
	for (int i = 0; i < 20; i++)
		fprintf(out, "%02x", id[i]);
	fputc(' ', out);
}

static void print_ref(const struct reftable_ref_record *ref)
{
	fprintf(out, "%s %" PRIu64 " ", ref->refname, ref->update_index);
	switch (ref->value_type) {
	case REFTABLE_REF_VAL1:
		print_id(ref->value.val1);
		break;
	case REFTABLE_REF_VAL2:
		print_id(ref->value.val2.value);
		print_id(ref->value.val2.target_value);
		break;
	case REFTABLE_REF_SYMREF:
		fputs(ref->value.symref, out);
		break;
	default:
		break;
	}
	fputc('\n', out);
}

static void print_log(const struct reftable_log_record *log)
{
	fprintf(out, "%s %" PRIu64 " ", log->refname, log->update_index);
	if (log->value_type == REFTABLE_LOG_UPDATE) {
		print_id(log->value.update.old_hash);
		print_id(log->value.update.new_hash);
		fprintf(out, "%s %s %" PRIu64 " %d %s", log->value.update.name,
			log->value.update.email, log->value.update.time,
			log->value.update.tz_offset, log->value.update.message);
	}
	fputc('\n', out);
}

static int walk_refs(struct reftable_stack *stack)
{
	struct reftable_iterator it = { 0 };
	struct reftable_ref_record ref = { 0 };
	int err;

	reftable_stack_init_ref_iterator(stack, &it);
	err = reftable_iterator_seek_ref(&it, "");
	while (!err && !(err = reftable_iterator_next_ref(&it, &ref)))
		print_ref(&ref);
	return err;
}

static int walk_logs(struct reftable_stack *stack)
{
	struct reftable_iterator it = { 0 };
	struct reftable_log_record log = { 0 };
	int err;

	reftable_stack_init_log_iterator(stack, &it);
	err = reftable_iterator_seek_log(&it, "");
	while (!err && !(err = reftable_iterator_next_log(&it, &log)))
		print_log(&log);
	return err;
}

static int find_refs(struct reftable_stack *stack)
{
	struct reftable_ref_record ref = { 0 };

	for (size_t i = 0; i < names_nr; i++) {
		int err = reftable_stack_read_ref(stack, names[i], &ref);
		if (err < 0)
			return err;
		if (!err)
			print_ref(&ref);
	}
	return 0;
}

static int find_logs(struct reftable_stack *stack)
{
	struct reftable_log_record log = { 0 };

	for (size_t i = 0; i < names_nr; i++) {
		struct reftable_iterator it = { 0 };
		int err;

		reftable_stack_init_log_iterator(stack, &it);
		err = reftable_iterator_seek_log(&it, names[i]);
		while (!err && !(err = reftable_iterator_next_log(&it, &log)) &&
		       !strcmp(log.refname, names[i]))
			print_log(&log);
		reftable_iterator_destroy(&it);
		if (err < 0)
			return err;
	}
	return 0;
}

static int (*const ways[])(struct reftable_stack *) = {
	walk_refs, walk_logs, find_refs, find_logs
};

static void read_stack(const char *dir, int way)
{
	struct reftable_stack *stack;
#ifdef STACK_OPTIONS
	struct reftable_stack_options opts = { .suppress_deletions = 1 };
#else
	struct reftable_write_options opts = { 0 };
#endif
	char path[5000];
	int sha256 = !!strstr(dir, "sha256");

	opts.hash_id = sha256 ? REFTABLE_HASH_SHA256 : REFTABLE_HASH_SHA1;
	snprintf(path, sizeof(path), "%s/out-%d", dir, way);
	out = fopen(path, "w");
	if (!out)
		exit(2);
	alarm(1);
	if (reftable_new_stack(&stack, dir, &opts) || ways[way](stack) < 0)
		_exit(1);
	fputs("ok\n", out);
	fclose(out);
	_exit(0);
}

int main(int argc, char **argv)
{
	char line[4096];
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (!file)
		return 2;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		names = realloc(names, (names_nr + 1) * sizeof(*names));
		names[names_nr++] = strdup(line);
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		for (int way = 0; way < (int)(sizeof(ways) / sizeof(*ways)); way++) {
			pid_t pid = fork();
			if (!pid)
				read_stack(line, way);
			waitpid(pid, NULL, 0);
		}
	}
	return 0;
}
