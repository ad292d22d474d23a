.DEFAULT_GOAL := help
.PHONY: help build test check demo cluster-test clean

# What the devices of the drill draw.
SEED ?= 1

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

cluster-test: build ## Let every part of a whole cluster fail in turn, under load (root)
	@dev/setup --cluster
	dev/drill cluster --system cluster --case all --seed $(SEED) --configuration release --markdown

clean: ## Remove what was built
	swift package clean
