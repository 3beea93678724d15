# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
PACKAGES := models pipeline restoration monitoring flows serving cli scripts
WORKERS ?= 2
DEMO_FLAGS ?=
# cpu or cuda: the build of PyTorch; if unset, the CPU build on a machine without a GPU
TORCH ?=
# Python keeps what it has compiled, whatever the environment says: tests and demo start a hundred processes, and each
# would compile the libraries anew, which takes half of its CPU time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo demo-tiny check-repro test test-flows test-others test-fast lint format types docs up repro dvc-yaml prefect-yaml work-pool plots-page hostile faults sbom sampler weights finder pictures clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

demo: $(READY) ## a whole cycle on built-in portraits, drifting traffic, and the cycle this starts
	$(BIN)/likeness demo $(DEMO_FLAGS)

demo-tiny: $(READY) ## the same with a few portraits and steps: every stage, in about ten minutes
	$(BIN)/likeness demo --tiny --workspace build/demo-tiny

check-repro: $(READY) ## after demo-tiny: dvc repro by hand does nothing there, and gives the same figures elsewhere
	$(BIN)/python -m scripts.check_repro

# Tests of flows mostly wait for Prefect's servers, so they run beside the others. They have processes of their own, as
# threads that Prefect's client leaves behind would disturb property tests. Their output comes in one
# piece. mypy, which has one thread, runs beside both.
# Files are handed out in the order of their names: those of a folder share a service and a browser, and the folders
# whose last files take long do not come last.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(READY) lint ## lint, types, and all tests
	@$(MAKE) --no-print-directory -j3 types test-flows test-others

test-flows: $(READY)
	@mkdir -p build
	@$(PYTEST) tests/flows > build/test-flows.log 2>&1; \
		status=$$?; echo; cat build/test-flows.log; exit $$status

test-others: $(READY)
	@$(PYTEST) --ignore=tests/flows

test-fast: $(READY) ## tests without the slow ones
	$(PYTEST) -m "not slow"

lint: $(READY) ## ruff, rules and format; the contracts of imports
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/ruff check $(PACKAGES) tests
	$(BIN)/ruff format --check $(PACKAGES) tests

format: $(READY) ## let ruff format and mend what it can
	$(BIN)/ruff format $(PACKAGES) tests
	$(BIN)/ruff check --fix $(PACKAGES) tests

types: $(READY) ## mypy, strict
	$(BIN)/mypy

docs: $(READY) ## the figures of the docs, measured anew (needs portraits: PORTRAITS=DIR VIEWS=DIR)
	$(BIN)/python -m scripts.benchmarks.measure_restorer --portraits $(PORTRAITS)
	$(BIN)/python -m scripts.benchmarks.measure_reference --views $(VIEWS)
	$(BIN)/python -m scripts.benchmarks.measure_photos --portraits $(PORTRAITS)
	$(BIN)/python -m scripts.benchmarks.measure_speed

faults: $(READY) ## break real parts at random moments and count what is lost (TRIALS=20: some hours)
	$(BIN)/python -m scripts.faults.run $(if $(TRIALS),--trials $(TRIALS))

up: $(READY) ## Prefect with its schedules, MLflow and the drift pages, in a workspace of their own
	$(BIN)/likeness workspace build/production
	$(BIN)/likeness up --root build/production

repro: $(READY) ## dvc repro
	$(BIN)/dvc repro

dvc-yaml: $(READY) ## write dvc.yaml from the import closure of the stages
	$(BIN)/python -m scripts.write_dvc_yaml

prefect-yaml: $(READY) ## write prefect.yaml from the plan of the deployments
	$(BIN)/python -m flows.deployment.prefect_yaml

work-pool: $(READY) ## write the job template of the Kubernetes pool from the worker's pod
	$(BIN)/python -m flows.deployment.kubernetes_pool

plots-page: $(READY) ## write the page that dvc plots fills, with Vega inside
	$(BIN)/python -m scripts.write_plots_page

hostile: $(READY) ## attack a service of its own with files, bodies, credentials, mutations (FILES=DIR MINUTES=10)
	$(BIN)/python -m scripts.hostile.run $(if $(FILES),--files $(FILES)) $(if $(MINUTES),--minutes $(MINUTES))

sbom: $(READY) ## list packages, weights and model files with their licences (CycloneDX)
	$(BIN)/python -m scripts.bill_of_materials

sampler: $(READY) ## learn the built-in sampler anew (PORTRAITS=DIR)
	$(BIN)/python -m scripts.assets.make_sampler --portraits $(PORTRAITS) --out assets

weights: $(READY) ## train the weights that ship (PORTRAITS=DIR of folders, VIEWS=DIR; ONLY=a part); goes on where it was stopped
	$(BIN)/python -m scripts.assets.make_weights --portraits $(PORTRAITS) $(if $(VIEWS),--views $(VIEWS)) $(if $(ONLY),--only $(ONLY))

finder: $(READY) ## train the damage finder that ships (PORTRAITS=DIR PRINTS=DIR); goes on where it was stopped
	$(BIN)/python -m scripts.assets.make_finder --portraits $(PORTRAITS) $(if $(PRINTS),--prints $(PRINTS))

pictures: $(READY) ## the README's pictures
	$(BIN)/python -m scripts.docs.make_readme_pictures

clean: ## remove what was built (.venv, build, caches); data and state stay
	rm -rf .venv .venv-uv build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(READY): pyproject.toml constraints.txt overrides.txt model-packages.txt infra/install-python-packages
	PYTHON=$(PYTHON) TORCH=$(TORCH) EXTRAS=dev infra/install-python-packages .venv
	touch $(READY)
