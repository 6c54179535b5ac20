# How much is run how often; docs/reliability.md says what and what came out.

GO       ?= go
PKG      ?= ./...
BENCH    ?= .
# For each fuzz target: a time, or a number of executions such as 10000000x.
FUZZTIME ?= 30s

.PHONY: test night release fuzz defects bench

# What the README tells to run; .ci/run has the static checks and the race detector as well.
test:
	$(GO) test $(PKG)

# Hours: one package after another, and fuzzing.
night:
	USERMGMT_TIER=night USERMGMT_REQUIRE_POSTGRES=1 $(GO) test -count=1 -p 1 -timeout 12h $(PKG)
	$(MAKE) fuzz FUZZTIME=10m

# Days: before a version is given out.
release:
	USERMGMT_TIER=release USERMGMT_REQUIRE_POSTGRES=1 $(GO) test -count=1 -p 1 -timeout 96h $(PKG)
	$(MAKE) fuzz FUZZTIME=10000000x

# Every fuzz target there is, one after another. What is found stays in testdata/fuzz.
# Go makes each input that reaches new code as short as it can, for up to a minute that
# does not count as executions; 100 tries do.
fuzz:
	@set -e; packages=$$($(GO) list $(PKG)); \
	for p in $$packages; do \
		list=$$($(GO) test -list '^Fuzz' $$p); \
		for f in $$(echo "$$list" | grep '^Fuzz'); do \
			echo "== $$p $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x -timeout 0 $$p; \
		done; \
	done

# Breaks the code on purpose, defect by defect, and writes down which tests notice.
defects:
	$(GO) run ./internal/defects -page docs/defects.md

bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)
