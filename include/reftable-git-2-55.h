/*
 * The layouts of git's structs as the Rust backend in libreftable-git.a sees
 * them, the functions that it exports, and the functions of git that it calls.
 *
 * For git 2.55.0. Generated from src/git by `make headers`.
 */

#ifndef REFTABLE_GIT_H
#define REFTABLE_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reftable_rs_ref_iterator;
struct reftable_rs_ref_store;
struct reftable_rs_ref_transaction;

#define REFTABLE_RS_MAX_RAW_SIZE 32

#define REFTABLE_RS_REF_NO_DEREF (1 << 0)

#define REFTABLE_RS_REF_FORCE_CREATE_REFLOG (1 << 1)

#define REFTABLE_RS_REF_HAVE_NEW (1 << 2)

#define REFTABLE_RS_REF_HAVE_OLD (1 << 3)

#define REFTABLE_RS_REF_LOG_ONLY (1 << 7)

#define REFTABLE_RS_REF_ISSYMREF (1 << 0)

#define REFTABLE_RS_REF_ISBROKEN (1 << 2)

#define REFTABLE_RS_REF_BAD_NAME (1 << 3)

#define REFTABLE_RS_RESOLVE_REF_READING 1

#define REFTABLE_RS_REFNAME_ALLOW_ONELEVEL 1

#define REFTABLE_RS_REF_STORE_READ (1 << 0)

#define REFTABLE_RS_REF_STORE_WRITE (1 << 1)

#define REFTABLE_RS_REF_STORE_ODB (1 << 2)

#define REFTABLE_RS_REF_STORE_MAIN (1 << 3)

#define REFTABLE_RS_EXPIRE_REFLOGS_DRY_RUN (1 << 0)

#define REFTABLE_RS_EXPIRE_REFLOGS_UPDATE_REF (1 << 1)

#define REFTABLE_RS_EXPIRE_REFLOGS_REWRITE (1 << 2)

#define REFTABLE_RS_ITER_OK 0

#define REFTABLE_RS_ITER_DONE -1

#define REFTABLE_RS_ITER_ERROR -2

#define REFTABLE_RS_IDENT_NO_DATE 2

#define REFTABLE_RS_REFS_FOR_EACH_INCLUDE_BROKEN (1 << 0)

#define REFTABLE_RS_REFS_FOR_EACH_PER_WORKTREE_ONLY (1 << 1)

#define REFTABLE_RS_REFS_FOR_EACH_OMIT_DANGLING_SYMREFS (1 << 2)

#define REFTABLE_RS_REFS_FOR_EACH_INCLUDE_ROOT_REFS (1 << 3)

#define REFTABLE_RS_REF_ITERATOR_SEEK_SET_PREFIX (1 << 0)

#define REFTABLE_RS_REF_SKIP_CREATE_REFLOG (1 << 12)

#define REFTABLE_RS_REF_LOG_USE_PROVIDED_OIDS (1 << 13)

#define REFTABLE_RS_REF_HAVE_PEELED (1 << 15)

#define REFTABLE_RS_REF_TRANSACTION_FLAG_INITIAL (1 << 0)

#define REFTABLE_RS_REFS_OPTIMIZE_AUTO (1 << 1)

#define REFTABLE_RS_NOT_A_SYMREF -2

#define REFTABLE_RS_CSPRNG_BYTES_INSECURE (1 << 0)

#define REFTABLE_RS_REF_UPDATE_VIA_HEAD (1 << 8)

enum reftable_rs_fsck_finding {
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

struct reftable_rs_fsck_options;

struct reftable_rs_key_value_info;

struct reftable_rs_repository;

struct reftable_rs_worktree;

typedef uint32_t reftable_rs_uint32_t;

typedef unsigned int reftable_rs_ref_transaction_state;

typedef int reftable_rs_log_refs_config;

typedef int reftable_rs_peel_status;

typedef unsigned int reftable_rs_want_ident;

typedef unsigned int reftable_rs_fsync_component;

typedef unsigned int reftable_rs_fsync_method;

typedef int reftable_rs_ref_transaction_error;

typedef unsigned int reftable_rs_trace2_counter_id;

struct reftable_rs_object_id {
  uint8_t hash[REFTABLE_RS_MAX_RAW_SIZE];
  reftable_rs_uint32_t algo;
};

struct reftable_rs_strbuf {
  size_t alloc;
  size_t len;
  char *buf;
};

struct reftable_rs_string_list_item {
  char *string;
  void *util;
};

struct reftable_rs_string_list {
  struct reftable_rs_string_list_item *items;
  size_t nr;
  size_t alloc;
  unsigned int bits;
  int (*cmp)(const char*, const char*);
};

struct reftable_rs_ident_split {
  const char *name_begin;
  const char *name_end;
  const char *mail_begin;
  const char *mail_end;
  const char *date_begin;
  const char *date_end;
  const char *tz_begin;
  const char *tz_end;
};

struct reftable_rs_config_context {
  const struct reftable_rs_key_value_info *kvi;
};

struct reftable_rs_reference {
  const char *name;
  const char *target;
  const struct reftable_rs_object_id *oid;
  const struct reftable_rs_object_id *peeled_oid;
  unsigned int flags;
};

struct reftable_rs_ref_iterator_vtable {
  int (*advance)(struct reftable_rs_ref_iterator*);
  int (*seek)(struct reftable_rs_ref_iterator*, const char*, unsigned int);
  void (*release)(struct reftable_rs_ref_iterator*);
  void (*limit_to_oids)(struct reftable_rs_ref_iterator*,
                        const struct reftable_rs_object_id*,
                        size_t);
};

struct reftable_rs_ref_iterator {
  const struct reftable_rs_ref_iterator_vtable *vtable;
  struct reftable_rs_reference reference;
};

struct reftable_rs_ref_update {
  struct reftable_rs_object_id new_oid;
  struct reftable_rs_object_id old_oid;
  struct reftable_rs_object_id peeled;
  const char *new_target;
  const char *old_target;
  unsigned int flags;
  void *backend_data;
  unsigned int kind;
  char *msg;
  char *committer_info;
  uint64_t index;
  reftable_rs_ref_transaction_error rejection_err;
  const char *rejection_details;
  struct reftable_rs_ref_update *parent_update;
};

struct reftable_rs_ref_store_init_options {
  unsigned int access_flags;
  reftable_rs_log_refs_config log_all_ref_updates;
};

typedef int (*reftable_rs_ref_transaction_prepare_fn)(struct reftable_rs_ref_store*,
                                                      struct reftable_rs_ref_transaction*,
                                                      struct reftable_rs_strbuf*);

struct reftable_rs_refs_optimize_opts {
  unsigned int flags;
  void *exclusions;
  struct reftable_rs_string_list *includes;
};

typedef int (*reftable_rs_rename_ref_fn)(struct reftable_rs_ref_store*,
                                         const char*,
                                         const char*,
                                         const char*);

typedef uint64_t reftable_rs_timestamp_t;

typedef int (*reftable_rs_each_reflog_ent_fn)(const char*,
                                              struct reftable_rs_object_id*,
                                              struct reftable_rs_object_id*,
                                              const char*,
                                              reftable_rs_timestamp_t,
                                              int,
                                              const char*,
                                              void*);

typedef int (*reftable_rs_for_each_reflog_ent_fn)(struct reftable_rs_ref_store*,
                                                  const char*,
                                                  reftable_rs_each_reflog_ent_fn,
                                                  void*);

typedef void (*reftable_rs_reflog_expiry_prepare_fn)(const char*,
                                                     const struct reftable_rs_object_id*,
                                                     void*);

typedef int (*reftable_rs_reflog_expiry_should_prune_fn)(struct reftable_rs_object_id*,
                                                         struct reftable_rs_object_id*,
                                                         const char*,
                                                         reftable_rs_timestamp_t,
                                                         int,
                                                         const char*,
                                                         void*);

typedef void (*reftable_rs_reflog_expiry_cleanup_fn)(void*);

struct reftable_rs_ref_storage_be {
  const char *name;
  struct reftable_rs_ref_store *(*init)(struct reftable_rs_repository*,
                                        const char*,
                                        const char*,
                                        const struct reftable_rs_ref_store_init_options*);
  void (*release)(struct reftable_rs_ref_store*);
  int (*create_on_disk)(struct reftable_rs_ref_store*, int, struct reftable_rs_strbuf*);
  int (*remove_on_disk)(struct reftable_rs_ref_store*, struct reftable_rs_strbuf*);
  reftable_rs_ref_transaction_prepare_fn transaction_prepare;
  reftable_rs_ref_transaction_prepare_fn transaction_finish;
  reftable_rs_ref_transaction_prepare_fn transaction_abort;
  int (*optimize)(struct reftable_rs_ref_store*, struct reftable_rs_refs_optimize_opts*);
  int (*optimize_required)(struct reftable_rs_ref_store*,
                           struct reftable_rs_refs_optimize_opts*,
                           bool*);
  reftable_rs_rename_ref_fn rename_ref;
  reftable_rs_rename_ref_fn copy_ref;
  struct reftable_rs_ref_iterator *(*iterator_begin)(struct reftable_rs_ref_store*,
                                                     const char*,
                                                     const char**,
                                                     unsigned int);
  int (*read_raw_ref)(struct reftable_rs_ref_store*,
                      const char*,
                      struct reftable_rs_object_id*,
                      struct reftable_rs_strbuf*,
                      unsigned int*,
                      int*);
  int (*read_symbolic_ref)(struct reftable_rs_ref_store*, const char*, struct reftable_rs_strbuf*);
  struct reftable_rs_ref_iterator *(*reflog_iterator_begin)(struct reftable_rs_ref_store*);
  reftable_rs_for_each_reflog_ent_fn for_each_reflog_ent;
  reftable_rs_for_each_reflog_ent_fn for_each_reflog_ent_reverse;
  int (*reflog_exists)(struct reftable_rs_ref_store*, const char*);
  int (*create_reflog)(struct reftable_rs_ref_store*, const char*, struct reftable_rs_strbuf*);
  int (*delete_reflog)(struct reftable_rs_ref_store*, const char*);
  int (*reflog_expire)(struct reftable_rs_ref_store*,
                       const char*,
                       unsigned int,
                       reftable_rs_reflog_expiry_prepare_fn,
                       reftable_rs_reflog_expiry_should_prune_fn,
                       reftable_rs_reflog_expiry_cleanup_fn,
                       void*);
  int (*fsck)(struct reftable_rs_ref_store*,
              struct reftable_rs_fsck_options*,
              struct reftable_rs_worktree*);
  struct reftable_rs_ref_iterator *(*oid_iterator_begin)(struct reftable_rs_ref_store*,
                                                         const struct reftable_rs_object_id*,
                                                         unsigned int);
};

struct reftable_rs_ref_store {
  const struct reftable_rs_ref_storage_be *be;
  struct reftable_rs_repository *repo;
  char *gitdir;
};

struct reftable_rs_ref_transaction {
  struct reftable_rs_ref_store *ref_store;
  struct reftable_rs_ref_update **updates;
  struct reftable_rs_string_list refnames;
  size_t alloc;
  size_t nr;
  reftable_rs_ref_transaction_state state;
  void *rejections;
  void *backend_data;
  unsigned int flags;
  uint64_t max_index;
};

struct reftable_rs_fsck_ref_report {
  const char *path;
};

#define REFTABLE_RS_GIT_HASH_SHA1 1

#define REFTABLE_RS_GIT_HASH_SHA256 2

#define REFTABLE_RS_REF_TRANSACTION_PREPARED 1

#define REFTABLE_RS_REF_TRANSACTION_CLOSED 2

#define REFTABLE_RS_LOG_REFS_UNSET -1

#define REFTABLE_RS_LOG_REFS_NONE 0

#define REFTABLE_RS_LOG_REFS_NORMAL 1

#define REFTABLE_RS_LOG_REFS_ALWAYS 2

#define REFTABLE_RS_PEEL_PEELED 0

#define REFTABLE_RS_WANT_COMMITTER_IDENT 2

#define REFTABLE_RS_FSYNC_COMPONENT_REFERENCE (1 << 5)

#define REFTABLE_RS_FSYNC_METHOD_WRITEOUT_ONLY 1

#define REFTABLE_RS_REF_TRANSACTION_ERROR_GENERIC -1

#define REFTABLE_RS_REF_TRANSACTION_ERROR_NAME_CONFLICT -2

#define REFTABLE_RS_REF_TRANSACTION_ERROR_CREATE_EXISTS -3

#define REFTABLE_RS_REF_TRANSACTION_ERROR_NONEXISTENT_REF -4

#define REFTABLE_RS_REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE -5

#define REFTABLE_RS_REF_TRANSACTION_ERROR_EXPECTED_SYMREF -7

#define REFTABLE_RS_TRACE2_COUNTER_ID_REFTABLE_RESEEKS 3

const char *reftable_rs_version(void);

int reftable_rs_dump(int argc, const char *const *argv);

/*
 * For git's compiler to compare with git's own declarations: the structs, their
 * members and the constants above, each with the name of its mirror; the functions
 * that refs/reftable-rust.c defines for the library; the functions and variables of
 * git that the library uses; the functions of the library that git calls; and the
 * integer types that the library has for enums and the like.
 */
#define REFTABLE_RS_GIT_STRUCTS(CHECK) \
  CHECK(object_id) \
  CHECK(strbuf) \
  CHECK(string_list_item) \
  CHECK(string_list) \
  CHECK(ident_split) \
  CHECK(ref_store) \
  CHECK(config_context) \
  CHECK(reference) \
  CHECK(ref_iterator) \
  CHECK(ref_iterator_vtable) \
  CHECK(ref_transaction) \
  CHECK(refs_optimize_opts) \
  CHECK(fsck_ref_report) \
  CHECK(ref_storage_be) \
  CHECK(ref_store_init_options)

#define REFTABLE_RS_GIT_MEMBERS(CHECK) \
  CHECK(object_id, hash, hash) \
  CHECK(object_id, algo, algo) \
  CHECK(strbuf, alloc, alloc) \
  CHECK(strbuf, len, len) \
  CHECK(strbuf, buf, buf) \
  CHECK(string_list_item, string, string) \
  CHECK(string_list_item, util, util) \
  CHECK(string_list, items, items) \
  CHECK(string_list, nr, nr) \
  CHECK(string_list, alloc, alloc) \
  CHECK(string_list, cmp, cmp) \
  CHECK(ident_split, name_begin, name_begin) \
  CHECK(ident_split, name_end, name_end) \
  CHECK(ident_split, mail_begin, mail_begin) \
  CHECK(ident_split, mail_end, mail_end) \
  CHECK(ident_split, date_begin, date_begin) \
  CHECK(ident_split, date_end, date_end) \
  CHECK(ident_split, tz_begin, tz_begin) \
  CHECK(ident_split, tz_end, tz_end) \
  CHECK(ref_store, be, be) \
  CHECK(ref_store, repo, repo) \
  CHECK(ref_store, gitdir, gitdir) \
  CHECK(config_context, kvi, kvi) \
  CHECK(reference, name, name) \
  CHECK(reference, target, target) \
  CHECK(reference, oid, oid) \
  CHECK(reference, peeled_oid, peeled_oid) \
  CHECK(reference, flags, flags) \
  CHECK(ref_iterator, vtable, vtable) \
  CHECK(ref_iterator, ref, reference) \
  CHECK(ref_iterator_vtable, advance, advance) \
  CHECK(ref_iterator_vtable, seek, seek) \
  CHECK(ref_iterator_vtable, release, release) \
  CHECK(ref_iterator_vtable, limit_to_oids, limit_to_oids) \
  CHECK(ref_update, new_oid, new_oid) \
  CHECK(ref_update, old_oid, old_oid) \
  CHECK(ref_update, peeled, peeled) \
  CHECK(ref_update, new_target, new_target) \
  CHECK(ref_update, old_target, old_target) \
  CHECK(ref_update, flags, flags) \
  CHECK(ref_update, backend_data, backend_data) \
  CHECK(ref_update, type, kind) \
  CHECK(ref_update, msg, msg) \
  CHECK(ref_update, committer_info, committer_info) \
  CHECK(ref_update, index, index) \
  CHECK(ref_update, rejection_err, rejection_err) \
  CHECK(ref_update, rejection_details, rejection_details) \
  CHECK(ref_update, parent_update, parent_update) \
  CHECK(ref_transaction, ref_store, ref_store) \
  CHECK(ref_transaction, updates, updates) \
  CHECK(ref_transaction, refnames, refnames) \
  CHECK(ref_transaction, alloc, alloc) \
  CHECK(ref_transaction, nr, nr) \
  CHECK(ref_transaction, state, state) \
  CHECK(ref_transaction, rejections, rejections) \
  CHECK(ref_transaction, backend_data, backend_data) \
  CHECK(ref_transaction, flags, flags) \
  CHECK(ref_transaction, max_index, max_index) \
  CHECK(refs_optimize_opts, flags, flags) \
  CHECK(refs_optimize_opts, exclusions, exclusions) \
  CHECK(refs_optimize_opts, includes, includes) \
  CHECK(fsck_ref_report, path, path) \
  CHECK(ref_storage_be, name, name) \
  CHECK(ref_storage_be, init, init) \
  CHECK(ref_storage_be, release, release) \
  CHECK(ref_storage_be, create_on_disk, create_on_disk) \
  CHECK(ref_storage_be, remove_on_disk, remove_on_disk) \
  CHECK(ref_storage_be, transaction_prepare, transaction_prepare) \
  CHECK(ref_storage_be, transaction_finish, transaction_finish) \
  CHECK(ref_storage_be, transaction_abort, transaction_abort) \
  CHECK(ref_storage_be, optimize, optimize) \
  CHECK(ref_storage_be, optimize_required, optimize_required) \
  CHECK(ref_storage_be, rename_ref, rename_ref) \
  CHECK(ref_storage_be, copy_ref, copy_ref) \
  CHECK(ref_storage_be, iterator_begin, iterator_begin) \
  CHECK(ref_storage_be, read_raw_ref, read_raw_ref) \
  CHECK(ref_storage_be, read_symbolic_ref, read_symbolic_ref) \
  CHECK(ref_storage_be, reflog_iterator_begin, reflog_iterator_begin) \
  CHECK(ref_storage_be, for_each_reflog_ent, for_each_reflog_ent) \
  CHECK(ref_storage_be, for_each_reflog_ent_reverse, for_each_reflog_ent_reverse) \
  CHECK(ref_storage_be, reflog_exists, reflog_exists) \
  CHECK(ref_storage_be, create_reflog, create_reflog) \
  CHECK(ref_storage_be, delete_reflog, delete_reflog) \
  CHECK(ref_storage_be, reflog_expire, reflog_expire) \
  CHECK(ref_storage_be, fsck, fsck) \
  CHECK(ref_storage_be, oid_iterator_begin, oid_iterator_begin) \
  CHECK(ref_store_init_options, access_flags, access_flags) \
  CHECK(ref_store_init_options, log_all_ref_updates, log_all_ref_updates)

#define REFTABLE_RS_GIT_CONSTANTS(CHECK) \
  CHECK(GIT_MAX_RAWSZ, MAX_RAW_SIZE) \
  CHECK(GIT_HASH_SHA1, GIT_HASH_SHA1) \
  CHECK(GIT_HASH_SHA256, GIT_HASH_SHA256) \
  CHECK(REF_NO_DEREF, REF_NO_DEREF) \
  CHECK(REF_FORCE_CREATE_REFLOG, REF_FORCE_CREATE_REFLOG) \
  CHECK(REF_HAVE_NEW, REF_HAVE_NEW) \
  CHECK(REF_HAVE_OLD, REF_HAVE_OLD) \
  CHECK(REF_LOG_ONLY, REF_LOG_ONLY) \
  CHECK(REF_ISSYMREF, REF_ISSYMREF) \
  CHECK(REF_ISBROKEN, REF_ISBROKEN) \
  CHECK(REF_BAD_NAME, REF_BAD_NAME) \
  CHECK(RESOLVE_REF_READING, RESOLVE_REF_READING) \
  CHECK(REFNAME_ALLOW_ONELEVEL, REFNAME_ALLOW_ONELEVEL) \
  CHECK(REF_STORE_READ, REF_STORE_READ) \
  CHECK(REF_STORE_WRITE, REF_STORE_WRITE) \
  CHECK(REF_STORE_ODB, REF_STORE_ODB) \
  CHECK(REF_STORE_MAIN, REF_STORE_MAIN) \
  CHECK(REF_TRANSACTION_PREPARED, REF_TRANSACTION_PREPARED) \
  CHECK(REF_TRANSACTION_CLOSED, REF_TRANSACTION_CLOSED) \
  CHECK(LOG_REFS_UNSET, LOG_REFS_UNSET) \
  CHECK(LOG_REFS_NONE, LOG_REFS_NONE) \
  CHECK(LOG_REFS_NORMAL, LOG_REFS_NORMAL) \
  CHECK(LOG_REFS_ALWAYS, LOG_REFS_ALWAYS) \
  CHECK(EXPIRE_REFLOGS_DRY_RUN, EXPIRE_REFLOGS_DRY_RUN) \
  CHECK(EXPIRE_REFLOGS_UPDATE_REF, EXPIRE_REFLOGS_UPDATE_REF) \
  CHECK(EXPIRE_REFLOGS_REWRITE, EXPIRE_REFLOGS_REWRITE) \
  CHECK(ITER_OK, ITER_OK) \
  CHECK(ITER_DONE, ITER_DONE) \
  CHECK(ITER_ERROR, ITER_ERROR) \
  CHECK(PEEL_PEELED, PEEL_PEELED) \
  CHECK(WANT_COMMITTER_IDENT, WANT_COMMITTER_IDENT) \
  CHECK(IDENT_NO_DATE, IDENT_NO_DATE) \
  CHECK(FSYNC_COMPONENT_REFERENCE, FSYNC_COMPONENT_REFERENCE) \
  CHECK(FSYNC_METHOD_WRITEOUT_ONLY, FSYNC_METHOD_WRITEOUT_ONLY) \
  CHECK(REFS_FOR_EACH_INCLUDE_BROKEN, REFS_FOR_EACH_INCLUDE_BROKEN) \
  CHECK(REFS_FOR_EACH_PER_WORKTREE_ONLY, REFS_FOR_EACH_PER_WORKTREE_ONLY) \
  CHECK(REFS_FOR_EACH_OMIT_DANGLING_SYMREFS, REFS_FOR_EACH_OMIT_DANGLING_SYMREFS) \
  CHECK(REFS_FOR_EACH_INCLUDE_ROOT_REFS, REFS_FOR_EACH_INCLUDE_ROOT_REFS) \
  CHECK(REF_ITERATOR_SEEK_SET_PREFIX, REF_ITERATOR_SEEK_SET_PREFIX) \
  CHECK(REF_SKIP_CREATE_REFLOG, REF_SKIP_CREATE_REFLOG) \
  CHECK(REF_LOG_USE_PROVIDED_OIDS, REF_LOG_USE_PROVIDED_OIDS) \
  CHECK(REF_HAVE_PEELED, REF_HAVE_PEELED) \
  CHECK(REF_TRANSACTION_FLAG_INITIAL, REF_TRANSACTION_FLAG_INITIAL) \
  CHECK(REF_TRANSACTION_ERROR_GENERIC, REF_TRANSACTION_ERROR_GENERIC) \
  CHECK(REF_TRANSACTION_ERROR_NAME_CONFLICT, REF_TRANSACTION_ERROR_NAME_CONFLICT) \
  CHECK(REF_TRANSACTION_ERROR_CREATE_EXISTS, REF_TRANSACTION_ERROR_CREATE_EXISTS) \
  CHECK(REF_TRANSACTION_ERROR_NONEXISTENT_REF, REF_TRANSACTION_ERROR_NONEXISTENT_REF) \
  CHECK(REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE, REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE) \
  CHECK(REF_TRANSACTION_ERROR_EXPECTED_SYMREF, REF_TRANSACTION_ERROR_EXPECTED_SYMREF) \
  CHECK(REFS_OPTIMIZE_AUTO, REFS_OPTIMIZE_AUTO) \
  CHECK(NOT_A_SYMREF, NOT_A_SYMREF) \
  CHECK(CSPRNG_BYTES_INSECURE, CSPRNG_BYTES_INSECURE) \
  CHECK(TRACE2_COUNTER_ID_REFTABLE_RESEEKS, TRACE2_COUNTER_ID_REFTABLE_RESEEKS)

#define REFTABLE_RS_SHIM_FUNCTIONS(CHECK) \
  CHECK(const char *, reftable_rs_gettext, (const char *)) \
  CHECK(uint32_t, reftable_rs_repo_hash_format, (struct repository *)) \
  CHECK(const char *, reftable_rs_repo_common_dir, (struct repository *)) \
  CHECK(int, reftable_rs_fsck_verbose, (const struct fsck_options *)) \
  CHECK(int, reftable_rs_fsck_report, (struct fsck_options *, enum reftable_rs_fsck_finding, const char *, const char *)) \
  CHECK(void, reftable_rs_print_stderr, (const char *)) \
  CHECK(struct lock_file *, reftable_rs_lock, (const char *, long)) \
  CHECK(const char *, reftable_rs_lock_path, (struct lock_file *)) \
  CHECK(int, reftable_rs_lock_fd, (struct lock_file *)) \
  CHECK(int, reftable_rs_lock_close, (struct lock_file *)) \
  CHECK(int, reftable_rs_lock_commit, (struct lock_file *)) \
  CHECK(void, reftable_rs_lock_rollback, (struct lock_file *)) \
  CHECK(const char *, reftable_rs_worktree_id, (const struct worktree *))

#define REFTABLE_RS_GIT_FUNCTIONS(CHECK) \
  CHECK(void, die, (const char *, ...)) \
  CHECK(int, error, (const char *, ...)) \
  CHECK(void, warning, (const char *, ...)) \
  CHECK(void, BUG_fl, (const char *, int, const char *, ...)) \
  CHECK(void *, xcalloc, (size_t, size_t)) \
  CHECK(void, strbuf_add, (struct strbuf *, const void *, size_t)) \
  CHECK(void, strbuf_addf, (struct strbuf *, const char *, ...)) \
  CHECK(void, strbuf_release, (struct strbuf *)) \
  CHECK(char *, strbuf_realpath, (struct strbuf *, const char *, int)) \
  CHECK(int, git_config_bool, (const char *, const char *)) \
  CHECK(int, git_env_bool, (const char *, int)) \
  CHECK(const char *, git_committer_info, (int)) \
  CHECK(const char *, fmt_ident, (const char *, const char *, enum want_ident, const char *, int)) \
  CHECK(uint64_t, getnanotime, (void)) \
  CHECK(void, base_ref_store_init, (struct ref_store *, struct repository *, const char *, const struct ref_storage_be *)) \
  CHECK(const char *, refs_resolve_ref_unsafe, (struct ref_store *, const char *, int, struct object_id *, int *)) \
  CHECK(int, check_refname_format, (const char *, int)) \
  CHECK(int, refname_is_safe, (const char *)) \
  CHECK(int, ref_resolves_to_object, (const char *, struct repository *, const struct object_id *, unsigned int)) \
  CHECK(void, unable_to_lock_message, (const char *, int, struct strbuf *)) \
  CHECK(struct tempfile *, mks_tempfile_sm, (const char *, int, int)) \
  CHECK(struct tempfile *, register_tempfile, (const char *)) \
  CHECK(const char *, get_tempfile_path, (struct tempfile *)) \
  CHECK(int, get_tempfile_fd, (struct tempfile *)) \
  CHECK(int, close_tempfile_gently, (struct tempfile *)) \
  CHECK(int, rename_tempfile, (struct tempfile **, const char *)) \
  CHECK(int, fsync_component, (enum fsync_component, int)) \
  CHECK(uint32_t, git_rand, (unsigned int)) \
  CHECK(void, trace2_counter_add, (enum trace2_counter_id, uint64_t)) \
  CHECK(int, delete_tempfile, (struct tempfile **)) \
  CHECK(int, split_ident_line, (struct ident_split *, const char *, size_t)) \
  CHECK(void, repo_config, (struct repository *, int (*)(const char *, const char *, const struct config_context *, void *), void *)) \
  CHECK(unsigned long, git_config_ulong, (const char *, const char *, const struct key_value_info *)) \
  CHECK(int64_t, git_config_int64, (const char *, const char *, const struct key_value_info *)) \
  CHECK(int, calc_shared_perm, (struct repository *, int)) \
  CHECK(int, adjust_shared_perm, (struct repository *, const char *)) \
  CHECK(void, safe_create_dir, (struct repository *, const char *, int)) \
  CHECK(void, chdir_notify_register, (const char *, void (*)(const char *, const char *, const char *, void *), void *)) \
  CHECK(void, chdir_notify_unregister, (const char *, void (*)(const char *, const char *, const char *, void *), void *)) \
  CHECK(char *, reparent_relative_path, (const char *, const char *, const char *)) \
  CHECK(int, is_root_ref, (const char *)) \
  CHECK(int, should_autocreate_reflog, (enum log_refs_config, const char *)) \
  CHECK(enum peel_status, peel_object, (struct repository *, const struct object_id *, struct object_id *, unsigned int)) \
  CHECK(enum ref_transaction_error, refs_verify_refname_available, (struct ref_store *, const char *, const struct string_list *, const struct string_list *, unsigned int, struct strbuf *)) \
  CHECK(int, refs_fsck_ref, (struct ref_store *, struct fsck_options *, struct fsck_ref_report *, const char *, const struct object_id *)) \
  CHECK(int, refs_fsck_symref, (struct ref_store *, struct fsck_options *, struct fsck_ref_report *, const char *, const char *)) \
  CHECK(void, base_ref_iterator_init, (struct ref_iterator *, struct ref_iterator_vtable *)) \
  CHECK(struct ref_iterator *, merge_ref_iterator_begin, (struct ref_iterator *, struct ref_iterator *, enum iterator_selection (*)(struct ref_iterator *, struct ref_iterator *, void *), void *)) \
  CHECK(enum iterator_selection, ref_iterator_select, (struct ref_iterator *, struct ref_iterator *, void *)) \
  CHECK(int, is_bare_repository, (void)) \
  CHECK(enum log_refs_config, repo_settings_get_log_all_ref_updates, (struct repository *)) \
  CHECK(void, refs_compute_filesystem_location, (const char *, const char *, bool *, struct strbuf *, struct strbuf *)) \
  CHECK(int, is_main_worktree, (const struct worktree *)) \
  CHECK(bool, string_list_has_string, (const struct string_list *, const char *)) \
  CHECK(struct ref_update *, ref_transaction_add_update, (struct ref_transaction *, const char *, unsigned int, const struct object_id *, const struct object_id *, const struct object_id *, const char *, const char *, const char *, const char *)) \
  CHECK(int, ref_transaction_maybe_set_rejected, (struct ref_transaction *, size_t, enum ref_transaction_error, struct strbuf *)) \
  CHECK(const char *, ref_update_original_update_refname, (struct ref_update *)) \
  CHECK(int, ref_update_has_null_new_value, (struct ref_update *)) \
  CHECK(int, ref_update_expects_existing_old_ref, (struct ref_update *)) \
  CHECK(enum ref_transaction_error, ref_update_check_old_target, (const char *, struct ref_update *, struct strbuf *)) \
  CHECK(enum ref_transaction_error, refs_verify_refnames_available, (struct ref_store *, const struct string_list *, const struct string_list *, const struct string_list *, struct ref_transaction *, unsigned int, struct strbuf *))

#define REFTABLE_RS_GIT_VARIABLES(CHECK) \
  CHECK(char, strbuf_slopbuf, [1]) \
  CHECK(struct ref_storage_be, refs_be_reftable, ) \
  CHECK(enum fsync_component, fsync_components, ) \
  CHECK(enum fsync_method, fsync_method, ) \
  CHECK(int, use_fsync, )

#define REFTABLE_RS_GIT_CALLBACKS(CHECK) \
  CHECK(ref_iterator_vtable, advance, int (*)(struct ref_iterator *)) \
  CHECK(ref_iterator_vtable, seek, int (*)(struct ref_iterator *, const char *, unsigned int)) \
  CHECK(ref_iterator_vtable, release, void (*)(struct ref_iterator *)) \
  CHECK(ref_iterator_vtable, limit_to_oids, void (*)(struct ref_iterator *, const struct object_id *, size_t)) \
  CHECK(ref_storage_be, init, struct ref_store * (*)(struct repository *, const char *, const char *, const struct ref_store_init_options *)) \
  CHECK(ref_storage_be, release, void (*)(struct ref_store *)) \
  CHECK(ref_storage_be, create_on_disk, int (*)(struct ref_store *, int, struct strbuf *)) \
  CHECK(ref_storage_be, remove_on_disk, int (*)(struct ref_store *, struct strbuf *)) \
  CHECK(ref_storage_be, transaction_prepare, int (*)(struct ref_store *, struct ref_transaction *, struct strbuf *)) \
  CHECK(ref_storage_be, transaction_finish, int (*)(struct ref_store *, struct ref_transaction *, struct strbuf *)) \
  CHECK(ref_storage_be, transaction_abort, int (*)(struct ref_store *, struct ref_transaction *, struct strbuf *)) \
  CHECK(ref_storage_be, optimize, int (*)(struct ref_store *, struct refs_optimize_opts *)) \
  CHECK(ref_storage_be, optimize_required, int (*)(struct ref_store *, struct refs_optimize_opts *, bool *)) \
  CHECK(ref_storage_be, rename_ref, int (*)(struct ref_store *, const char *, const char *, const char *)) \
  CHECK(ref_storage_be, copy_ref, int (*)(struct ref_store *, const char *, const char *, const char *)) \
  CHECK(ref_storage_be, iterator_begin, struct ref_iterator * (*)(struct ref_store *, const char *, const char **, unsigned int)) \
  CHECK(ref_storage_be, read_raw_ref, int (*)(struct ref_store *, const char *, struct object_id *, struct strbuf *, unsigned int *, int *)) \
  CHECK(ref_storage_be, read_symbolic_ref, int (*)(struct ref_store *, const char *, struct strbuf *)) \
  CHECK(ref_storage_be, reflog_iterator_begin, struct ref_iterator * (*)(struct ref_store *)) \
  CHECK(ref_storage_be, for_each_reflog_ent, int (*)(struct ref_store *, const char *, int (*)(const char *, struct object_id *, struct object_id *, const char *, timestamp_t, int, const char *, void *), void *)) \
  CHECK(ref_storage_be, for_each_reflog_ent_reverse, int (*)(struct ref_store *, const char *, int (*)(const char *, struct object_id *, struct object_id *, const char *, timestamp_t, int, const char *, void *), void *)) \
  CHECK(ref_storage_be, reflog_exists, int (*)(struct ref_store *, const char *)) \
  CHECK(ref_storage_be, create_reflog, int (*)(struct ref_store *, const char *, struct strbuf *)) \
  CHECK(ref_storage_be, delete_reflog, int (*)(struct ref_store *, const char *)) \
  CHECK(ref_storage_be, reflog_expire, int (*)(struct ref_store *, const char *, unsigned int, void (*)(const char *, const struct object_id *, void *), int (*)(struct object_id *, struct object_id *, const char *, timestamp_t, int, const char *, void *), void (*)(void *), void *)) \
  CHECK(ref_storage_be, fsck, int (*)(struct ref_store *, struct fsck_options *, struct worktree *)) \
  CHECK(ref_storage_be, oid_iterator_begin, struct ref_iterator * (*)(struct ref_store *, const struct object_id *, unsigned int))

#define REFTABLE_RS_GIT_INTEGERS(CHECK) \
  CHECK(enum fsync_component, unsigned int) \
  CHECK(enum fsync_method, unsigned int) \
  CHECK(uint32_t, uint32_t) \
  CHECK(enum iterator_selection, int) \
  CHECK(enum log_refs_config, int) \
  CHECK(enum peel_status, int) \
  CHECK(enum ref_transaction_error, int) \
  CHECK(enum ref_transaction_state, unsigned int) \
  CHECK(timestamp_t, uint64_t) \
  CHECK(enum trace2_counter_id, unsigned int) \
  CHECK(enum want_ident, unsigned int)

#endif  /* REFTABLE_GIT_H */
