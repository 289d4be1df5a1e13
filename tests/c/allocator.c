/* Hooks for reftable_set_alloc() that count, mark their memory, and fail on demand. */
#include "support.h"

/* Precedes each allocation; its size is that of the strictest alignment. */
union header {
	struct {
		uint64_t mark;
		size_t len;
	} is;
	max_align_t align;
};

static const uint64_t live_mark = 0x6c69766520686f6f, freed_mark = 0x667265656420686f;
static long live, calls, countdown = -1;
static int failed, fail_all;

static int must_fail(void)
{
	if (!countdown) {
		failed = 1;
		if (!fail_all)
			countdown = -1;
		return 1;
	}
	if (countdown > 0)
		countdown--;
	return 0;
}

static union header *header_of(const void *memory)
{
	return (union header *)memory - 1;
}

static void bad(const char *what)
{
	printf("# allocator: %s\n", what);
	fflush(stdout);
	abort();
}

static void *allocate(size_t len)
{
	union header *header;

	if (must_fail())
		return NULL;
	header = malloc(sizeof(*header) + len);
	if (!header)
		abort();
	header->is.mark = live_mark;
	header->is.len = len;
	/* Do not reuse the contents of the previous owner. */
	memset(header + 1, 0xa5, len);
	live++;
	calls++;
	return header + 1;
}

void allocator_free(void *memory)
{
	if (!memory)
		return;
	if (header_of(memory)->is.mark != live_mark)
		bad("freed memory that is not allocated");
	header_of(memory)->is.mark = freed_mark;
	live--;
	free(header_of(memory));
}

static void *reallocate(void *memory, size_t len)
{
	void *moved;
	size_t old;

	if (memory && header_of(memory)->is.mark != live_mark)
		bad("reallocated memory that is not allocated");
	moved = allocate(len);
	if (!moved)
		return NULL;
	if (memory) {
		old = header_of(memory)->is.len;
		memcpy(moved, memory, old < len ? old : len);
		allocator_free(memory);
	}
	return moved;
}

void allocator_install(void)
{
	reftable_set_alloc(allocate, reallocate, allocator_free);
}

void allocator_fail_at(long n, int all)
{
	countdown = n;
	fail_all = all;
	failed = 0;
}

void allocator_recover(void)
{
	countdown = -1;
}

int allocator_has_failed(void)
{
	return failed;
}

long allocator_live(void)
{
	return live;
}

long allocator_calls(void)
{
	return calls;
}

int allocator_owns(const void *memory)
{
	return memory && header_of(memory)->is.mark == live_mark;
}

char *allocator_strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = allocate(len);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}
