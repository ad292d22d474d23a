.DEFAULT_GOAL := help
.PHONY: help build test check demo clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build cairn and cairn-server for release, in .build/release
	@dev/setup
	swift build -c release --product cairn
	swift build -c release --product cairn-server

test: ## Build once and run every test
	@dev/setup
	@dev/test

check: ## Lint, build without warnings, and the tidy tests
	@dev/setup
	@dev/check

demo: ## Show a server and two devices on this machine, then clean up
	@dev/setup
	@dev/demo

clean: ## Remove what was built
	swift package clean
