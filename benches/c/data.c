/* Refs and reflog entries made from numbers, and checksums of them. */
#include "bench.h"

#include <string.h>

/* SplitMix64: neighbouring seeds produce unrelated numbers. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void digits(char *out, int count, size_t number)
{
	while (count--) {
		out[count] = (char)('0' + number % 10);
		number /= 10;
	}
}

void name_of(char *out, size_t number)
{
	memcpy(out, "refs/heads/dir00000/branch000", NAME_LEN + 1);
	digits(out + 14, 5, number / 1000);
	digits(out + 26, 3, number % 1000);
}

void missing_name(char *out, size_t number)
{
	name_of(out, number);
	memcpy(out + NAME_LEN, "x", 2);
}

void id_of(unsigned char *out, uint64_t seed, size_t number)
{
	uint64_t words[3];

	words[0] = mix(seed ^ mix(number));
	words[1] = mix(words[0]);
	words[2] = mix(words[1]);
	memcpy(out, words, REFTABLE_HASH_SIZE_SHA1);
}

size_t pick(uint64_t seed, size_t count, size_t limit)
{
	return (size_t)(mix(mix(seed) + count) % limit);
}

void make_ref(struct reftable_ref_record *rec, char *name, uint64_t seed,
	      size_t number, uint64_t update_index)
{
	name_of(name, number);
	rec->refname = name;
	rec->update_index = update_index;
	rec->value_type = REFTABLE_REF_VAL1;
	id_of(rec->value.val1, seed, number);
}

void make_log(struct reftable_log_record *rec, char *name, uint64_t seed,
	      size_t number, uint64_t update_index)
{
	static char author[] = "A U Thor", email[] = "author@example.com",
		    message[] = "commit: change number 00000000\n";

	name_of(name, number);
	digits(message + sizeof(message) - 10, 8, number * LOGS_PER_REF + update_index);
	rec->refname = name;
	rec->update_index = update_index;
	rec->value_type = REFTABLE_LOG_UPDATE;
	id_of(rec->value.update.old_hash, seed, number * LOGS_PER_REF + update_index - 1);
	id_of(rec->value.update.new_hash, seed, number * LOGS_PER_REF + update_index);
	rec->value.update.name = author;
	rec->value.update.email = email;
	rec->value.update.time = 1700000000 + update_index * 60;
	rec->value.update.tz_offset = 100;
	rec->value.update.message = message;
}

static uint64_t word(const void *bytes)
{
	uint64_t result;

	memcpy(&result, bytes, sizeof(result));
	return result;
}

uint64_t add_ref(uint64_t sum, const struct reftable_ref_record *rec)
{
	sum = sum * 31 + rec->value_type + rec->update_index;
	sum = sum * 31 + word(rec->refname + NAME_LEN - 8);
	return sum * 31 + word(rec->value.val1);
}

uint64_t add_log(uint64_t sum, const struct reftable_log_record *rec)
{
	sum = sum * 31 + rec->value_type + rec->update_index;
	sum = sum * 31 + word(rec->refname + NAME_LEN - 8);
	sum = sum * 31 + rec->value.update.time + (uint64_t)rec->value.update.tz_offset;
	sum = sum * 31 + word(rec->value.update.message + 22);
	sum = sum * 31 + word(rec->value.update.old_hash);
	return sum * 31 + word(rec->value.update.new_hash);
}
