# Logic lives in hack/, so that a recipe says what happens and a script how.
.DEFAULT_GOAL := help
.PHONY: help build publish test test-unit test-envtest run demo install uninstall deploy undeploy build-installer bench soak size size-update fmt lint envtest clean

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build everything, for development
	@hack/dotnet build --nologo

publish: ## The native binary, bin/mcp-operator
	@hack/publish

test: ## Unit tests, and the published binary against a real API server
	@hack/test all

test-unit: ## Unit tests alone: seconds
	@hack/test unit

test-envtest: ## The published binary against a real API server
	@hack/test envtest

run: ## See it work: a throw-away control plane (or the cluster of KUBECONFIG) until Ctrl-C
	@hack/run

demo: ## The same, played to the end: the samples become Ready, exit 0
	@hack/run demo

install: ## The CRDs, into the cluster of kubectl's current context
	@hack/deploy install

uninstall: ## Take the CRDs away, and with them every MCPServer
	@hack/deploy uninstall

deploy: ## CRDs and operator, into that cluster (IMG=registry/name:tag CONFIG=default|single|namespaced)
	@IMG='$(IMG)' CONFIG='$(CONFIG)' hack/deploy deploy

undeploy: ## Take the operator away; CRDs and MCPServers stay
	@CONFIG='$(CONFIG)' hack/deploy undeploy

build-installer: ## All of that in one file, dist/install.yaml (IMG, CONFIG)
	@IMG='$(IMG)' CONFIG='$(CONFIG)' hack/deploy build-installer

bench: ## Measure it: time, memory, CPU, requests (BENCH_SERVERS=1,100 BENCH_STEADY=20s BENCH_STORM=10s: less of it)
	@hack/bench $(if $(BENCH_SERVERS),--servers $(BENCH_SERVERS)) $(if $(BENCH_STEADY),--steady $(BENCH_STEADY)) \
	  $(if $(BENCH_STORM),--storm $(BENCH_STORM)) $(if $(BENCH_OUTPUT),--output $(BENCH_OUTPUT))

soak: ## Random users, faults and restarts, and a checker (SOAK=10m SOAK_SEED=7: for how long, the same again)
	@hack/soak $(if $(SOAK),--time $(SOAK)) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

size: ## What the binary consists of, and whether it keeps its budget (SIZE_TOP=50: more of it)
	@hack/size $(SIZE_TOP)

size-update: ## Write the budget anew: for the commit that makes the binary heavier, or lighter
	@hack/size --update

fmt: ## Format the code
	@hack/dotnet format

lint: ## What CI asks of the style
	@hack/lint

envtest: ## Get kube-apiserver, etcd and kubectl, and print their directory
	@hack/envtest

clean: ## Remove what was built (the cache outside of the checkout stays)
	@rm -rf bin TestResults; find src tests hack -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
