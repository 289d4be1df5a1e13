#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='reftables on both ends of a fetch and a push, also over HTTP'

. ./lib-reftable.sh

test_expect_success 'setup' '
	git init server &&
	test_commit -C server one &&
	git -C server tag -m annotated annotated &&
	git -C server branch side &&
	test_seq -f "create refs/heads/many/%03d HEAD" 300 >input &&
	git -C server update-ref --stdin <input &&
	git -C server symbolic-ref refs/heads/sym refs/heads/side &&
	git clone server client &&
	test_commit -C server two &&
	git -C server checkout side &&
	test_commit -C server three &&
	git -C server checkout main
'

test_expect_success 'FETCH_HEAD is a file of several lines, read like a ref' '
	git -C client fetch origin main side &&
	test_line_count = 2 client/.git/FETCH_HEAD &&
	git -C server rev-parse main >expect &&
	git -C client rev-parse FETCH_HEAD >actual &&
	test_cmp expect actual &&
	git -C client fetch --append origin many/001 &&
	test_line_count = 3 client/.git/FETCH_HEAD &&
	git -C client for-each-ref $(root_refs) >actual &&
	test_grep ! FETCH_HEAD actual &&
	git -C client merge --no-edit FETCH_HEAD &&
	git -C client merge-base --is-ancestor origin/main HEAD
'

test_expect_success 'FETCH_HEAD is not written as a ref' '
	cp client/.git/FETCH_HEAD before &&
	must_die_politely git -C client update-ref FETCH_HEAD HEAD &&
	test_grep "refusing to update pseudoref .FETCH_HEAD." err &&
	must_die_politely git -C client symbolic-ref FETCH_HEAD refs/heads/main &&
	test_cmp before client/.git/FETCH_HEAD
'

test_expect_success MIGRATE 'FETCH_HEAD survives a migration to another format' '
	cp client/.git/FETCH_HEAD before &&
	cp -R client moved &&
	test_when_finished "rm -rf moved" &&
	migratable moved &&
	git -C client rev-parse FETCH_HEAD >expect &&
	for format in files reftable
	do
		git -C moved refs migrate --ref-format=$format &&
		git -C moved rev-parse FETCH_HEAD >actual &&
		test_cmp expect actual &&
		test_cmp before moved/.git/FETCH_HEAD || return 1
	done
'

test_expect_success 'every worktree has its own FETCH_HEAD' '
	test_when_finished "rm -rf worktree" &&
	git -C client worktree add ../worktree &&
	cp client/.git/FETCH_HEAD before &&
	git -C worktree fetch origin side &&
	test_cmp before client/.git/FETCH_HEAD &&
	git -C server rev-parse side >expect &&
	git -C worktree rev-parse FETCH_HEAD >actual &&
	test_cmp expect actual
'

test_expect_success 'fetch --atomic and --prune in one transaction' '
	git -C server branch doomed &&
	git -C server update-ref refs/heads/deep/er/name HEAD &&
	git -C client fetch &&
	git -C server branch -D doomed &&
	git -C server update-ref -d refs/heads/deep/er/name &&
	git -C server update-ref refs/heads/deep2 HEAD &&
	git -C client fetch --atomic --prune &&
	test_must_fail git -C client rev-parse --verify origin/doomed &&
	test_must_fail git -C client rev-parse --verify origin/deep/er/name &&
	same_rev client origin/deep2 origin/main
'

test_expect_success 'push --atomic to a server that refuses one ref changes nothing' '
	git init --bare target &&
	git -C target symbolic-ref HEAD refs/heads/other &&
	git -C client push ../target origin/side:refs/heads/main &&
	reftable_bytes target >before &&
	test_must_fail git -C client push --atomic ../target \
		refs/tags/one^{commit}:refs/heads/main HEAD:refs/heads/new 2>err &&
	test_grep "atomic push failed" err &&
	reftable_bytes target >after &&
	test_cmp before after &&
	test_must_fail git -C target rev-parse --verify refs/heads/new
'

. "$TEST_DIRECTORY"/lib-httpd.sh
start_httpd

test_expect_success 'setup of a repository served over HTTP' '
	git clone --mirror server "$HTTPD_DOCUMENT_ROOT_PATH/repo.git" &&
	git -C "$HTTPD_DOCUMENT_ROOT_PATH/repo.git" config http.receivepack true &&
	echo reftable >expect &&
	git -C "$HTTPD_DOCUMENT_ROOT_PATH/repo.git" rev-parse --show-ref-format >actual &&
	test_cmp expect actual
'

for version in 0 2
do
	test_expect_success "ls-remote over HTTP, protocol $version" '
		git ls-remote server >all &&
		grep -v refs/remotes/ all >expect &&
		git -c protocol.version=$version ls-remote "$HTTPD_URL/smart/repo.git" >actual &&
		test_cmp expect actual &&
		git ls-remote --symref server HEAD >expect &&
		git -c protocol.version=$version ls-remote --symref "$HTTPD_URL/smart/repo.git" HEAD >actual &&
		test_cmp expect actual &&
		git ls-remote server "refs/heads/many/1*" >expect &&
		git -c protocol.version=$version ls-remote "$HTTPD_URL/smart/repo.git" \
			"refs/heads/many/1*" >actual &&
		test_line_count = 100 actual &&
		test_cmp expect actual
	'

	test_expect_success "clone, fetch and push over HTTP, protocol $version" '
		test_when_finished "rm -rf over-http" &&
		git -c protocol.version=$version clone "$HTTPD_URL/smart/repo.git" over-http &&
		echo refs/remotes/origin/main >expect &&
		git -C over-http symbolic-ref refs/remotes/origin/HEAD >actual &&
		test_cmp expect actual &&
		test_commit -C over-http "pushed-$version" &&
		git -C over-http -c protocol.version=$version push origin HEAD:refs/heads/pushed-$version &&
		git -C over-http rev-parse HEAD >expect &&
		git -C "$HTTPD_DOCUMENT_ROOT_PATH/repo.git" rev-parse refs/heads/pushed-$version >actual &&
		test_cmp expect actual &&
		git -C "$HTTPD_DOCUMENT_ROOT_PATH/repo.git" update-ref -d refs/heads/pushed-$version &&
		git -C over-http -c protocol.version=$version fetch --prune &&
		test_must_fail git -C over-http rev-parse --verify origin/pushed-$version
	'
done

test_expect_success 'ls-remote over dumb HTTP' '
	git -C "$HTTPD_DOCUMENT_ROOT_PATH/repo.git" update-server-info &&
	git ls-remote "$HTTPD_URL/smart/repo.git" "refs/*" >expect &&
	git ls-remote "$HTTPD_URL/dumb/repo.git" "refs/*" >actual &&
	test_cmp expect actual
'

test_done
