/*
 * Memory, buffers and names as git's unit tests call them. The functions are
 * those of the library, built with the feature capi-internals; the macros are
 * written here, on top of them.
 */
#ifndef INTERNALS_BASICS_H
#define INTERNALS_BASICS_H

#include "reftable/reftable-basics.h"

uint32_t hash_size(enum reftable_hash id);

void *reftable_malloc(size_t size);
void *reftable_realloc(void *p, size_t size);
void *reftable_calloc(size_t n, size_t size);
void reftable_free(void *p);
char *reftable_strdup(const char *s);

void reftable_buf_init(struct reftable_buf *buf);
void reftable_buf_release(struct reftable_buf *buf);
void reftable_buf_reset(struct reftable_buf *buf);
int reftable_buf_setlen(struct reftable_buf *buf, size_t len);
int reftable_buf_cmp(const struct reftable_buf *a, const struct reftable_buf *b);
int reftable_buf_add(struct reftable_buf *buf, const void *data, size_t len);
int reftable_buf_addstr(struct reftable_buf *buf, const char *s);
char *reftable_buf_detach(struct reftable_buf *buf);

void free_names(char **names);

#define REFTABLE_CALLOC_ARRAY(array, n) ((array) = reftable_calloc((n), sizeof(*(array))))
#define REFTABLE_FREE_AND_NULL(p) (reftable_free(p), (p) = NULL)

/* Makes room for `want` elements; the old array when there is no memory. */
static inline void *internals_grow(void *array, size_t want, size_t size, size_t *alloc)
{
	size_t n = 2 * *alloc > want ? 2 * *alloc : want;
	void *grown = reftable_realloc(array, n * size);

	if (!grown)
		return array;
	*alloc = n;
	return grown;
}

/* Whether there is still no room for `want` elements. */
#define REFTABLE_ALLOC_GROW(array, want, alloc) \
	((want) > (alloc) && \
	 ((array) = internals_grow((array), (want), sizeof(*(array)), &(alloc)), \
	  (want) > (alloc)))

/* Frees the array and forgets its size when there is no memory. */
#define REFTABLE_ALLOC_GROW_OR_NULL(array, want, alloc) \
	do { \
		if (REFTABLE_ALLOC_GROW(array, want, alloc)) { \
			REFTABLE_FREE_AND_NULL(array); \
			(alloc) = 0; \
		} \
	} while (0)

#endif
