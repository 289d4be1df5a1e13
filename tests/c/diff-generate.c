/* Options, names and records derived from a seed. */
#include "differential.h"

static uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed;
}

/* splitmix64. */
static uint64_t next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned random_below(unsigned limit)
{
	return (unsigned)(next() % limit);
}

int random_chance(unsigned percent)
{
	return random_below(100) < percent;
}

struct options random_options(int with_logs)
{
	/* From 256 on every ref fits. */
	static const uint32_t block_sizes[] = { 0, 256, 300, 512, 777, 1024, 4096, 8192, 65536 };
	static const uint16_t restart_intervals[] = { 0, 1, 2, 3, 16, 100, 65535 };
	struct options options = { 0 };

	WRITE_AS_UPSTREAM(options.write);
	options.write.block_size = block_sizes[random_below(9)];
	/* Upstream writes past its buffer when a small block of logs does not shrink. */
	if (with_logs && options.write.block_size && options.write.block_size < 512)
		options.write.block_size = 512;
	options.write.restart_interval = restart_intervals[random_below(7)];
	options.write.unpadded = random_chance(40);
	options.write.skip_index_objects = random_chance(30);
	options.write.exact_log_message = random_chance(50);
	if (random_chance(60))
		options.hash_id = random_chance(50) ? REFTABLE_HASH_SHA1 : REFTABLE_HASH_SHA256;
	return options;
}

#define MAX_NAMES 8192

static char *names[MAX_NAMES];
static size_t name_count;

void forget_names(void)
{
	while (name_count)
		free(names[--name_count]);
}

const char *random_name(unsigned reuse)
{
	static const char *const prefixes[] = {
		"refs/heads/", "refs/tags/v", "refs/remotes/origin/", "refs/heads/topic/deep/er/", ""
	};
	char name[80];
	int len, i;

	if (name_count && random_chance(reuse))
		return names[name_count - 1 -
			     random_below(name_count > 200 ? 200 : (unsigned)name_count)];
	len = sprintf(name, "%s", prefixes[random_below(5)]);
	if (random_chance(70))
		len += sprintf(name + len, "branch-%05u", random_below(20000));
	for (i = (int)random_below(12) + !len; i > 0; i--)
		name[len++] = (char)(random_chance(80) ? 'a' + random_below(3) : 1 + random_below(255));
	name[len] = 0;
	if (name_count == MAX_NAMES)
		abort();
	names[name_count] = strdup(name);
	return names[name_count++];
}

/* Some records share ids, and some ids differ only in their last bytes. */
static void random_id(unsigned char *id)
{
	unsigned seed = random_chance(20) ? random_below(50) : random_below(1000000);

	make_id(id, seed);
	if (random_chance(3))
		memset(id + 1, 0x55, 10);
}

struct reftable_ref_record random_ref(const char *name, uint64_t update_index)
{
	struct reftable_ref_record ref = make_deletion(name, update_index);
	unsigned kind = random_below(10);

	if (kind < 6) {
		ref.value_type = REFTABLE_REF_VAL1;
		random_id(ref.value.val1);
	} else if (kind < 8) {
		ref.value_type = REFTABLE_REF_VAL2;
		random_id(ref.value.val2.value);
		random_id(ref.value.val2.target_value);
	} else if (kind == 8) {
		ref.value_type = REFTABLE_REF_SYMREF;
		ref.value.symref = (char *)random_name(50);
	}
	return ref;
}

struct reftable_log_record random_log(const char *name, uint64_t update_index, int exact)
{
	static const char *const messages[] = {
		"commit: something", "commit (initial): first\n", "", "\n",
		"reset: moving to HEAD~1\n\n", "rebase (finish): returning to refs/heads/main",
		"Fast-forward\n", "x", NULL
	};
	static const char *const exact_messages[] = { "two\nlines", "\n\nthree\n", "a\nb\n" };
	struct reftable_log_record log = make_log_deletion(name, update_index);

	if (random_chance(10))
		return log;
	log.value_type = REFTABLE_LOG_UPDATE;
	random_id(log.value.update.old_hash);
	random_id(log.value.update.new_hash);
	log.value.update.name = random_chance(95) ? (char *)"A U Thor" : NULL;
	log.value.update.email = random_chance(95) ? (char *)"author@example.com" : NULL;
	log.value.update.time = random_chance(90) ? 1700000000 + random_below(1000) : next();
	log.value.update.tz_offset = (int16_t)(random_chance(80) ? random_below(3) * 60 : next());
	log.value.update.message = (char *)messages[random_below(9)];
	if (exact && random_chance(30))
		log.value.update.message = (char *)exact_messages[random_below(3)];
	return log;
}

static int cmp_refs(const void *a, const void *b)
{
	const struct reftable_ref_record *one = a, *two = b;

	return strcmp(one->refname, two->refname);
}

static int cmp_logs(const void *a, const void *b)
{
	const struct reftable_log_record *one = a, *two = b;
	int cmp = strcmp(one->refname, two->refname);

	if (cmp || one->update_index == two->update_index)
		return cmp;
	return one->update_index > two->update_index ? -1 : 1;
}

/* Keeps the first of equal elements; the array is sorted. */
static size_t unique(void *array, size_t count, size_t size, int (*cmp)(const void *, const void *))
{
	char *bytes = array;
	size_t kept = 0, i;

	for (i = 0; i < count; i++)
		if (!kept || cmp(bytes + (kept - 1) * size, bytes + i * size))
			memmove(bytes + kept++ * size, bytes + i * size, size);
	return kept;
}

static uint64_t random_index(uint64_t min, uint64_t max)
{
	return min + next() % (max - min + 1);
}

struct records random_records(size_t refs, size_t logs, uint64_t min, uint64_t max, int exact)
{
	struct records records = { 0 };
	size_t i;

	records.refs = calloc(refs + 1, sizeof(*records.refs));
	records.logs = calloc(logs + 1, sizeof(*records.logs));
	if (!records.refs || !records.logs)
		abort();
	for (i = 0; i < refs; i++)
		records.refs[i] = random_ref(random_name(30), random_index(min, max));
	for (i = 0; i < logs; i++)
		records.logs[i] = random_log(random_name(80), random_index(min, max), exact);
	/* Insertion sort: qsort() of another C library may order equal keys differently. */
	for (i = 1; i < refs; i++)
		for (size_t j = i; j && cmp_refs(&records.refs[j - 1], &records.refs[j]) > 0; j--) {
			struct reftable_ref_record swap = records.refs[j];

			records.refs[j] = records.refs[j - 1];
			records.refs[j - 1] = swap;
		}
	for (i = 1; i < logs; i++)
		for (size_t j = i; j && cmp_logs(&records.logs[j - 1], &records.logs[j]) > 0; j--) {
			struct reftable_log_record swap = records.logs[j];

			records.logs[j] = records.logs[j - 1];
			records.logs[j - 1] = swap;
		}
	records.ref_count = unique(records.refs, refs, sizeof(*records.refs), cmp_refs);
	records.log_count = unique(records.logs, logs, sizeof(*records.logs), cmp_logs);
	return records;
}

void shuffle_records(struct records *records)
{
	size_t i, j;

	for (i = records->ref_count; i > 1; i--) {
		struct reftable_ref_record swap = records->refs[i - 1];

		j = random_below((unsigned)i);
		records->refs[i - 1] = records->refs[j];
		records->refs[j] = swap;
	}
	for (i = records->log_count; i > 1; i--) {
		struct reftable_log_record swap = records->logs[i - 1];

		j = random_below((unsigned)i);
		records->logs[i - 1] = records->logs[j];
		records->logs[j] = swap;
	}
}

void free_records(struct records *records)
{
	free(records->refs);
	free(records->logs);
	memset(records, 0, sizeof(*records));
}
