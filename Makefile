# Logic lives in hack/, so that a recipe says what happens and a script how.
.DEFAULT_GOAL := help
.PHONY: help build publish smoke reproduce size size-update fmt lint clean test test-unit test-envtest e2e node docs-check soak bench envtest run demo \
  install uninstall deploy undeploy build-installer image image-check hello-image release

help: ## What there is
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ See it

run: ## See it work: a throw-away control plane (USE_EXISTING_CLUSTER=true: kubectl's cluster; NODE=true: with a node) until Ctrl-C
	@hack/run$(if $(filter true,$(NODE)),-node)

demo: ## The same, always on a throw-away control plane, played to the end: the samples become Ready, exit 0
	@hack/run demo

##@ Build

build: ## Build everything, for development
	@hack/dotnet build --nologo

publish: ## The native binary, bin/mcp-operator (ARCH=arm64: for another machine; VERSION=1.2.3: a release)
	@hack/publish $(if $(ARCH),static $(ARCH)) >/dev/null

size: ## What the binary consists of, and whether it keeps its budget (SIZE_TOP=50: more of it)
	@hack/size $(SIZE_TOP)

size-update: ## Write the budget anew: for the commit that makes the binary heavier, or lighter
	@hack/size --update

smoke: ## What every binary has to do, done by the published one (ARCH=arm64: emulated)
	@hack/smoke $(ARCH)

reproduce: ## Build this commit twice, in two places: the same bytes? (ARCH=arm64)
	@hack/reproduce $(if $(ARCH),static $(ARCH))

fmt: ## Format the code
	@hack/dotnet format

lint: ## What CI asks of the style
	@hack/lint

clean: ## Remove what was built (the cache outside of the checkout stays)
	@rm -rf bin dist TestResults; find src tests hack -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +

##@ Test

test: ## Unit tests, and the published binary against a real API server
	@hack/test all

test-unit: ## Unit tests alone: seconds
	@hack/test unit

test-envtest: ## The published binary against a real API server
	@hack/test envtest

e2e: ## A whole cluster with a node, the operator on it from its image, and servers that run or cannot (E2E_FILTER=name)
	@E2E_FILTER='$(E2E_FILTER)' hack/test e2e

node: ## One throw-away cluster with a node, until Ctrl-C; prints what a shell needs to use it
	@hack/node up

docs-check: ## Whether links, flags, variables, metrics, log events, reasons, fields and faults are documented
	@hack/test docs

soak: ## Random users, faults and restarts, and a checker (SOAK=10m SOAK_SEED=7: for how long, the same again)
	@hack/soak $(if $(SOAK),--time $(SOAK)) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

bench: ## Measure it: time, memory, CPU, requests (BENCH_SERVERS=1,100 BENCH_STEADY=20s BENCH_STORM=10s: less of it)
	@hack/bench $(if $(BENCH_SERVERS),--servers $(BENCH_SERVERS)) $(if $(BENCH_STEADY),--steady $(BENCH_STEADY)) \
	  $(if $(BENCH_ONLY),--only $(BENCH_ONLY)) $(if $(BENCH_STORM),--storm $(BENCH_STORM)) $(if $(BENCH_OUTPUT),--output $(BENCH_OUTPUT))

envtest: ## Get kube-apiserver, etcd and kubectl, and print their directory
	@hack/envtest

##@ Install

install: ## The CRDs, into the cluster of kubectl's current context
	@hack/deploy install

uninstall: ## Take the CRDs away, and with them every MCPServer
	@hack/deploy uninstall

deploy: ## CRDs and operator, into that cluster (IMG=registry/name:tag CONFIG=default|single|namespaced REPLACE=true)
	@IMG='$(IMG)' CONFIG='$(CONFIG)' REPLACE='$(REPLACE)' hack/deploy deploy

undeploy: ## Take the operator away; CRDs and MCPServers stay
	@CONFIG='$(CONFIG)' hack/deploy undeploy

build-installer: ## All of that in one file, dist/install.yaml (IMG, CONFIG)
	@IMG='$(IMG)' CONFIG='$(CONFIG)' hack/deploy build-installer

##@ Ship

image: ## Dockerfile.distroless, by docker, podman or buildah (IMG=registry/name:tag PLATFORMS=linux/amd64,linux/arm64 PUSH=true)
	@IMG='$(IMG)' PLATFORMS='$(PLATFORMS)' VARIANT='$(VARIANT)' PUSH='$(PUSH)' VERSION='$(VERSION)' hack/image

image-check: ## Does the image hold what it should, and is that enough to run? (ARCHIVE=image.tar: of docker save)
	@hack/image-check $(ARCHIVE)

hello-image: ## dist/hello-mcp.tar: the image that the samples name, for docker load, kind load image-archive, ctr images import
	@hack/pod-image hello

release: ## Everything of a release, into dist/ (VERSION=1.2.3; IMG: what install.yaml calls the image)
	@IMG='$(IMG)' SOURCE='$(SOURCE)' hack/release '$(VERSION)'
