/*
 * Writes a table with the C library of a built git tree.
 *
 * usage: upstream-writer SCRIPT TABLE
 *
 * The script has one item per line; names and ids are hexadecimal, "-" stands for an empty string:
 *
 *   options BLOCK_SIZE RESTART_INTERVAL SHA256 SKIP_OBJECTS UNPADDED EXACT_MESSAGE
 *   limits MIN MAX
 *   ref NAME UPDATE_INDEX delete
 *   ref NAME UPDATE_INDEX val1 ID
 *   ref NAME UPDATE_INDEX val2 ID PEELED
 *   ref NAME UPDATE_INDEX symref TARGET
 *   log NAME UPDATE_INDEX delete
 *   log NAME UPDATE_INDEX update OLD NEW NAME EMAIL TIME ZONE MESSAGE
 *
 * Prints the first error code of the library, or 0. Records after an error are not added.
 */
#include "git-compat-util.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-writer.h"

static ssize_t append(void *file, const void *bytes, size_t len)
{
	return fwrite(bytes, 1, len, file) == len ? (ssize_t)len : -1;
}

static int flush(void *file)
{
	return fflush(file);
}

/* The rest of the line. */
static char *rest;

static char *next_word(void)
{
	char *word = strsep(&rest, " \n");
	if (!word) {
		fprintf(stderr, "upstream-writer: line too short\n");
		exit(2);
	}
	return word;
}

static uint64_t next_number(void)
{
	return strtoull(next_word(), NULL, 10);
}

/* Decodes the next word in place and ends it with NUL. */
static char *next_bytes(size_t *len)
{
	char *word = next_word(), *out = word;
	size_t n = 0;

	for (char *in = word; in[0] != '-' && in[0] && in[1]; in += 2) {
		char digits[3] = { in[0], in[1], 0 };
		out[n++] = (char)strtol(digits, NULL, 16);
	}
	out[n] = 0;
	if (len)
		*len = n;
	return word;
}

static void next_id(unsigned char *id)
{
	size_t len;
	char *bytes = next_bytes(&len);
	memcpy(id, bytes, len);
}

static int add_ref(struct reftable_writer *writer)
{
	struct reftable_ref_record ref = { .refname = next_bytes(NULL) };
	char *type;

	ref.update_index = next_number();
	type = next_word();
	if (!strcmp(type, "val1")) {
		ref.value_type = REFTABLE_REF_VAL1;
		next_id(ref.value.val1);
	} else if (!strcmp(type, "val2")) {
		ref.value_type = REFTABLE_REF_VAL2;
		next_id(ref.value.val2.value);
		next_id(ref.value.val2.target_value);
	} else if (!strcmp(type, "symref")) {
		ref.value_type = REFTABLE_REF_SYMREF;
		ref.value.symref = next_bytes(NULL);
	}
	return reftable_writer_add_ref(writer, &ref);
}

static int add_log(struct reftable_writer *writer)
{
	struct reftable_log_record log = { .refname = next_bytes(NULL) };

	log.update_index = next_number();
	if (!strcmp(next_word(), "update")) {
		log.value_type = REFTABLE_LOG_UPDATE;
		next_id(log.value.update.old_hash);
		next_id(log.value.update.new_hash);
		log.value.update.name = next_bytes(NULL);
		log.value.update.email = next_bytes(NULL);
		log.value.update.time = next_number();
		log.value.update.tz_offset = (int16_t)atoi(next_word());
		log.value.update.message = next_bytes(NULL);
	}
	return reftable_writer_add_log(writer, &log);
}

int main(int argc, char **argv)
{
	struct reftable_write_options options = { 0 };
	struct reftable_writer *writer = NULL;
	enum reftable_hash hash_id;
	char *line = NULL;
	size_t line_size = 0;
	FILE *script, *table;
	int err = 0;

	if (argc != 3 || !(script = fopen(argv[1], "r")) || !(table = fopen(argv[2], "w"))) {
		fprintf(stderr, "usage: upstream-writer SCRIPT TABLE\n");
		return 2;
	}
	while (!err && getline(&line, &line_size, script) > 0) {
		char *verb;

		rest = line;
		verb = next_word();
		if (!strcmp(verb, "options")) {
			options.block_size = next_number();
			options.restart_interval = next_number();
			hash_id = next_number() ? REFTABLE_HASH_SHA256 : REFTABLE_HASH_SHA1;
			options.skip_index_objects = next_number();
			options.unpadded = next_number();
			options.exact_log_message = next_number();
#ifdef STACK_OPTIONS
			err = reftable_writer_new(&writer, append, flush, table, hash_id, &options);
#else
			options.hash_id = hash_id;
			err = reftable_writer_new(&writer, append, flush, table, &options);
#endif
		} else if (!strcmp(verb, "limits")) {
			uint64_t min = next_number();
			err = reftable_writer_set_limits(writer, min, next_number());
		} else if (!strcmp(verb, "ref")) {
			err = add_ref(writer);
		} else if (!strcmp(verb, "log")) {
			err = add_log(writer);
		} else {
			fprintf(stderr, "upstream-writer: unknown verb '%s'\n", verb);
			return 2;
		}
	}
	if (writer && !err)
		err = reftable_writer_close(writer);
	if (fclose(table))
		return 2;
	printf("%d\n", err);
	free(line);
	fclose(script);
	reftable_writer_free(writer);
	return 0;
}
