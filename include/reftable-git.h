/*
 * The layouts of git's structs as the Rust backend of libreftable-git.a sees
 * them, and the functions that it exports.
 *
 * Made by cbindgen from src/git/abi and src/git/vtable.rs: `make headers`.
 */

#ifndef REFTABLE_GIT_H
#define REFTABLE_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reftable_rs_RefIterator;
struct reftable_rs_RefStore;
struct reftable_rs_RefTransaction;

#define reftable_rs_MAX_RAW_SIZE 32

#define reftable_rs_GIT_HASH_SHA1 1

#define reftable_rs_GIT_HASH_SHA256 2

#define reftable_rs_REF_NO_DEREF (1 << 0)

#define reftable_rs_REF_FORCE_CREATE_REFLOG (1 << 1)

#define reftable_rs_REF_HAVE_NEW (1 << 2)

#define reftable_rs_REF_HAVE_OLD (1 << 3)

#define reftable_rs_REF_LOG_ONLY (1 << 7)

#define reftable_rs_REF_SKIP_CREATE_REFLOG (1 << 12)

#define reftable_rs_REF_LOG_USE_PROVIDED_OIDS (1 << 13)

#define reftable_rs_REF_HAVE_PEELED (1 << 15)

#define reftable_rs_REF_UPDATE_VIA_HEAD (1 << 8)

#define reftable_rs_REF_ISSYMREF (1 << 0)

#define reftable_rs_REF_ISBROKEN (1 << 2)

#define reftable_rs_REF_BAD_NAME (1 << 3)

#define reftable_rs_REFS_FOR_EACH_INCLUDE_BROKEN (1 << 0)

#define reftable_rs_REFS_FOR_EACH_PER_WORKTREE_ONLY (1 << 1)

#define reftable_rs_REFS_FOR_EACH_OMIT_DANGLING_SYMREFS (1 << 2)

#define reftable_rs_REFS_FOR_EACH_INCLUDE_ROOT_REFS (1 << 3)

#define reftable_rs_REF_ITERATOR_SEEK_SET_PREFIX (1 << 0)

#define reftable_rs_RESOLVE_REF_READING 1

#define reftable_rs_REFNAME_ALLOW_ONELEVEL 1

#define reftable_rs_REF_STORE_READ (1 << 0)

#define reftable_rs_REF_STORE_WRITE (1 << 1)

#define reftable_rs_REF_STORE_ODB (1 << 2)

#define reftable_rs_REF_STORE_MAIN (1 << 3)

#define reftable_rs_REF_TRANSACTION_PREPARED 1

#define reftable_rs_REF_TRANSACTION_CLOSED 2

#define reftable_rs_REF_TRANSACTION_FLAG_INITIAL (1 << 0)

#define reftable_rs_REF_TRANSACTION_ERROR_GENERIC -1

#define reftable_rs_REF_TRANSACTION_ERROR_NAME_CONFLICT -2

#define reftable_rs_REF_TRANSACTION_ERROR_CREATE_EXISTS -3

#define reftable_rs_REF_TRANSACTION_ERROR_NONEXISTENT_REF -4

#define reftable_rs_REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE -5

#define reftable_rs_REF_TRANSACTION_ERROR_EXPECTED_SYMREF -7

#define reftable_rs_LOG_REFS_UNSET -1

#define reftable_rs_LOG_REFS_NONE 0

#define reftable_rs_LOG_REFS_NORMAL 1

#define reftable_rs_LOG_REFS_ALWAYS 2

#define reftable_rs_REF_WORKTREE_CURRENT 0

#define reftable_rs_REF_WORKTREE_MAIN 1

#define reftable_rs_REF_WORKTREE_OTHER 2

#define reftable_rs_REF_WORKTREE_SHARED 3

#define reftable_rs_EXPIRE_REFLOGS_DRY_RUN (1 << 0)

#define reftable_rs_EXPIRE_REFLOGS_UPDATE_REF (1 << 1)

#define reftable_rs_EXPIRE_REFLOGS_REWRITE (1 << 2)

#define reftable_rs_REFS_OPTIMIZE_AUTO (1 << 1)

#define reftable_rs_NOT_A_SYMREF -2

#define reftable_rs_ITER_OK 0

#define reftable_rs_ITER_DONE -1

#define reftable_rs_ITER_ERROR -2

#define reftable_rs_WANT_COMMITTER_IDENT 2

#define reftable_rs_IDENT_NO_DATE 2

#define reftable_rs_FSYNC_COMPONENT_REFERENCE (1 << 5)

#define reftable_rs_FSYNC_METHOD_WRITEOUT_ONLY 1

#define reftable_rs_CSPRNG_BYTES_INSECURE (1 << 0)

#define reftable_rs_TRACE2_COUNTER_ID_REFTABLE_RESEEKS 3

enum reftable_rs_FsckFinding {
  REFTABLE_RS_FSCK_FINDING_TABLE_NAME,
  REFTABLE_RS_FSCK_FINDING_LIST,
  REFTABLE_RS_FSCK_FINDING_MISSING_TABLE,
  REFTABLE_RS_FSCK_FINDING_UNLISTED_FILE,
  REFTABLE_RS_FSCK_FINDING_HEADER,
  REFTABLE_RS_FSCK_FINDING_FOOTER,
  REFTABLE_RS_FSCK_FINDING_HASH,
  REFTABLE_RS_FSCK_FINDING_UPDATE_INDEX,
  REFTABLE_RS_FSCK_FINDING_BLOCK,
  REFTABLE_RS_FSCK_FINDING_ORDER,
  REFTABLE_RS_FSCK_FINDING_INDEX,
  REFTABLE_RS_FSCK_FINDING_OBJECTS,
};

struct reftable_rs_ObjectId {
  uint8_t hash[reftable_rs_MAX_RAW_SIZE];
  uint32_t algo;
};

struct reftable_rs_StrBuf {
  size_t alloc;
  size_t len;
  char *buf;
};

struct reftable_rs_StringListItem {
  char *string;
  void *util;
};

struct reftable_rs_StringList {
  struct reftable_rs_StringListItem *items;
  size_t nr;
  size_t alloc;
  unsigned int bits;
  int (*cmp)(const char*, const char*);
};

struct reftable_rs_IdentSplit {
  const char *name_begin;
  const char *name_end;
  const char *mail_begin;
  const char *mail_end;
  const char *date_begin;
  const char *date_end;
  const char *tz_begin;
  const char *tz_end;
};

struct reftable_rs_ConfigContext {
  const void *kvi;
};

struct reftable_rs_Reference {
  const char *name;
  const char *target;
  const struct reftable_rs_ObjectId *oid;
  const struct reftable_rs_ObjectId *peeled_oid;
  unsigned int flags;
};

struct reftable_rs_RefIteratorVtable {
  int (*advance)(struct reftable_rs_RefIterator*);
  int (*seek)(struct reftable_rs_RefIterator*, const char*, unsigned int);
  void (*release)(struct reftable_rs_RefIterator*);
};

struct reftable_rs_RefIterator {
  const struct reftable_rs_RefIteratorVtable *vtable;
  struct reftable_rs_Reference reference;
};

struct reftable_rs_RefUpdate {
  struct reftable_rs_ObjectId new_oid;
  struct reftable_rs_ObjectId old_oid;
  struct reftable_rs_ObjectId peeled;
  const char *new_target;
  const char *old_target;
  unsigned int flags;
  void *backend_data;
  unsigned int kind;
  char *msg;
  char *committer_info;
  uint64_t index;
  int rejection_err;
  const char *rejection_details;
  struct reftable_rs_RefUpdate *parent_update;
};

struct reftable_rs_RefStoreInitOptions {
  unsigned int access_flags;
  int log_all_ref_updates;
};

typedef int (*reftable_rs_TransactionFn)(struct reftable_rs_RefStore*,
                                         struct reftable_rs_RefTransaction*,
                                         struct reftable_rs_StrBuf*);

struct reftable_rs_RefsOptimizeOpts {
  unsigned int flags;
  void *exclusions;
  struct reftable_rs_StringList *includes;
};

typedef int (*reftable_rs_RenameFn)(struct reftable_rs_RefStore*,
                                    const char*,
                                    const char*,
                                    const char*);

typedef int (*reftable_rs_EachReflogEntFn)(const char*,
                                           struct reftable_rs_ObjectId*,
                                           struct reftable_rs_ObjectId*,
                                           const char*,
                                           uint64_t,
                                           int,
                                           const char*,
                                           void*);

typedef int (*reftable_rs_ForEachReflogEntFn)(struct reftable_rs_RefStore*,
                                              const char*,
                                              reftable_rs_EachReflogEntFn,
                                              void*);

typedef void (*reftable_rs_ExpiryPrepareFn)(const char*, const struct reftable_rs_ObjectId*, void*);

typedef int (*reftable_rs_ExpiryShouldPruneFn)(struct reftable_rs_ObjectId*,
                                               struct reftable_rs_ObjectId*,
                                               const char*,
                                               uint64_t,
                                               int,
                                               const char*,
                                               void*);

typedef void (*reftable_rs_ExpiryCleanupFn)(void*);

struct reftable_rs_RefStorageBe {
  const char *name;
  struct reftable_rs_RefStore *(*init)(void*,
                                       const char*,
                                       const char*,
                                       const struct reftable_rs_RefStoreInitOptions*);
  void (*release)(struct reftable_rs_RefStore*);
  int (*create_on_disk)(struct reftable_rs_RefStore*, int, struct reftable_rs_StrBuf*);
  int (*remove_on_disk)(struct reftable_rs_RefStore*, struct reftable_rs_StrBuf*);
  reftable_rs_TransactionFn transaction_prepare;
  reftable_rs_TransactionFn transaction_finish;
  reftable_rs_TransactionFn transaction_abort;
  int (*optimize)(struct reftable_rs_RefStore*, struct reftable_rs_RefsOptimizeOpts*);
  int (*optimize_required)(struct reftable_rs_RefStore*, struct reftable_rs_RefsOptimizeOpts*, bool*);
  reftable_rs_RenameFn rename_ref;
  reftable_rs_RenameFn copy_ref;
  struct reftable_rs_RefIterator *(*iterator_begin)(struct reftable_rs_RefStore*,
                                                    const char*,
                                                    const char*const *,
                                                    unsigned int);
  int (*read_raw_ref)(struct reftable_rs_RefStore*,
                      const char*,
                      struct reftable_rs_ObjectId*,
                      struct reftable_rs_StrBuf*,
                      unsigned int*,
                      int*);
  int (*read_symbolic_ref)(struct reftable_rs_RefStore*, const char*, struct reftable_rs_StrBuf*);
  struct reftable_rs_RefIterator *(*reflog_iterator_begin)(struct reftable_rs_RefStore*);
  reftable_rs_ForEachReflogEntFn for_each_reflog_ent;
  reftable_rs_ForEachReflogEntFn for_each_reflog_ent_reverse;
  int (*reflog_exists)(struct reftable_rs_RefStore*, const char*);
  int (*create_reflog)(struct reftable_rs_RefStore*, const char*, struct reftable_rs_StrBuf*);
  int (*delete_reflog)(struct reftable_rs_RefStore*, const char*);
  int (*reflog_expire)(struct reftable_rs_RefStore*,
                       const char*,
                       unsigned int,
                       reftable_rs_ExpiryPrepareFn,
                       reftable_rs_ExpiryShouldPruneFn,
                       reftable_rs_ExpiryCleanupFn,
                       void*);
  int (*fsck)(struct reftable_rs_RefStore*, void*, void*);
};

struct reftable_rs_RefStore {
  const struct reftable_rs_RefStorageBe *be;
  void *repo;
  char *gitdir;
};

struct reftable_rs_RefTransaction {
  struct reftable_rs_RefStore *ref_store;
  struct reftable_rs_RefUpdate **updates;
  struct reftable_rs_StringList refnames;
  size_t alloc;
  size_t nr;
  int state;
  void *rejections;
  void *backend_data;
  unsigned int flags;
  uint64_t max_index;
};

struct reftable_rs_FsckRefReport {
  const char *path;
};

const char *reftable_rs_version(void);

int reftable_rs_dump(int argc, const char *const *argv);

#endif  /* REFTABLE_GIT_H */
