/* All public headers in one program, for any C or C++ compiler and linker. */
#include "reftable/reftable-basics.h"
#include "reftable/reftable-block.h"
#include "reftable/reftable-blocksource.h"
#include "reftable/reftable-constants.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-fsck.h"
#include "reftable/reftable-iterator.h"
#include "reftable/reftable-merged.h"
#include "reftable/reftable-record.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-system.h"
#include "reftable/reftable-table.h"
#include "reftable/reftable-writer.h"

#include <string.h>

int main(void)
{
	struct reftable_buf buf = REFTABLE_BUF_INIT;
	struct reftable_ref_record ref;
	struct reftable_iterator it;
	struct reftable_block block;
	struct reftable_merged_table *merged = 0;

	memset(&ref, 0, sizeof(ref));
	memset(&it, 0, sizeof(it));
	memset(&block, 0, sizeof(block));
	if (reftable_merged_table_new(&merged, 0, 0, REFTABLE_HASH_SHA1))
		return 1;
	reftable_merged_table_free(merged);
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	reftable_block_release(&block);
	reftable_writer_free(0);
	reftable_stack_destroy(0);
	reftable_table_decref(0);
	if (REFTABLE_BLOCK_TYPE_REF != 'r' || REFTABLE_FSCK_ERROR_TABLE_NAME)
		return 1;
	return buf.len != 0 || strcmp(reftable_error_str(REFTABLE_IO_ERROR), "I/O error") != 0;
}
